import type { MapEntry, MapNode } from './document.ts';
import type { BrokenStepSpec, StepSpec } from './job-spec.ts';
import type { ReadContext } from './read-fields.ts';

export type WithoutInputs<S> = S extends StepSpec ? Omit<S, 'inputs'> : never;

/** What every reader of a verb needs. */
export interface StepContext extends ReadContext {
  readonly map: MapNode;
  /** The verb's own entry. */
  readonly verb: MapEntry;
  readonly where: string;
  readonly base: Omit<BrokenStepSpec, 'kind' | 'inputs' | 'keepsFields'>;
}
