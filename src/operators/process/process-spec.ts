import type { CodeReference, CodeRole, RowSchema } from '../../core/index.ts';

/** The ProcessNode of a job graph. */
export interface ProcessSpec {
  readonly stepId: string;
  readonly code: CodeReference;
  readonly role: CodeRole;
  readonly keys: readonly number[];
  readonly longs: 'number' | 'bigint';
  readonly sides: readonly { readonly name: string; readonly schema: RowSchema }[];
  readonly hasEventTime: boolean;
  readonly input: RowSchema;
  readonly output: RowSchema;
}
