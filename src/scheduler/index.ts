export { schedulerErrors } from './errors.ts';
export { JobMaster } from './job-master.ts';
export type { AllocatedSlot, JobMasterOptions, SlotPool } from './job-master.ts';
export { checkGraph } from './slice-plan.ts';
