export type * from './job-metrics.ts';
export { JobMetricsCollector } from './job-metrics-collector.ts';
