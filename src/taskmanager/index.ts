export type { OperatorFactory, SlotDependencies } from './slot-entry.ts';
