export { taskErrors } from './errors.ts';
export { inlineWorkerHost } from './inline-worker-host.ts';
export { DEFAULT_LIMITS } from './runtime-limits.ts';
export type { RuntimeLimits } from './runtime-limits.ts';
export type { OperatorFactory, OperatorNode, SlotDependencies } from './slot-entry.ts';
export { runSlot } from './slot-runtime.ts';
export { startTaskManager } from './task-manager.ts';
export type { TaskManager, TaskManagerOptions } from './task-manager.ts';
