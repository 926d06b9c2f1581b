import type { CodeOfStep, CodeOfSteps, StepRole } from '../core/index.ts';
import type { JobDocument } from '../graph/index.ts';
import type { CallSite } from './call-site.ts';
import type { FieldType } from './field-types.ts';

/** Marks jobs, whichever copy of the package has made them. */
export const JOB_MARK = Symbol.for('millrace.job');

/** A job of the TypeScript API: what a job module exports. */
export interface BuiltJob extends CodeOfSteps {
  readonly [JOB_MARK]: 1;
  readonly name: string;
  /** What a job file would say. */
  definition(): JobDefinition;
  /** The class or function of a step with code; undefined for every other step. */
  codeOf(stepId: string): StepCode | undefined;
}

export interface JobDefinition {
  /** A job file as data. */
  readonly document: JobDocument;
  /** What the code of each step with code is. */
  readonly roles: ReadonlyMap<string, StepRole>;
  /** Where job() was called. */
  readonly site: CallSite | null;
  /** Where each step was made, in the order of the document's steps. */
  readonly stepSites: readonly (CallSite | null)[];
  /** Types that the author has stated for fields of which the engine knows better. */
  readonly stated: readonly StatedType[];
}

/** What a step with code runs. */
export type StepCode = CodeOfStep[StepRole];

export interface StatedType {
  readonly stepId: string;
  readonly field: string;
  readonly type: FieldType;
}
