/** `millrace/testing`: jobs and steps in tests, without a broker. See docs/testing.md. */
export { testJob } from './test-job.ts';
export type { TestSettings } from './test-job.ts';
export { testStep } from './test-step.ts';
export type { StepHarness, StepSettings } from './test-step.ts';
export type { Change, FailedRecord, HarnessSettings, JobHarness, JobSnapshot } from './job-harness.ts';
