export { crashJobs } from './crash-jobs.ts';
export { runCrashTest } from './crash-test.ts';
export { formatReport, isPassed } from './report.ts';
