export type * from './job-metrics.ts';
