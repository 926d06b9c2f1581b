import type { ExecutionPlan } from '../ha/index.ts';

/** Where the plans of one job are kept, for the leader that takes it over. */
export interface PlanStore {
  /** The newest; null where nothing was deployed yet. */
  read(): Promise<ExecutionPlan | null>;
  /** Called before anything of an attempt is deployed; durable when it resolves. */
  write(plan: ExecutionPlan): Promise<void>;
}
