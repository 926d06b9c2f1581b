export type { CheckpointHistory, CheckpointSummary } from './checkpoint/checkpoint-history.ts';
export { schedulerErrors } from './errors.ts';
export { JobMaster } from './job-master.ts';
export type { JobMasterOptions } from './job-master.ts';
export { checkRestorePlan, planRestore } from './recovery/plan-restore.ts';
export type { Rescale, RestorePlan, RestoreStep } from './recovery/plan-restore.ts';
export { checkGraph } from './slice-plan.ts';
export type { AllocatedSlot, SlotPool } from './slot-pool.ts';
export type { JobOrigin, StartMode } from './start-mode.ts';
