import type { OperatorContext } from '../../core/index.ts';
import { JoinOutput } from './join-output.ts';
import { JoinRows } from './join-rows.ts';
import type { JoinSpec } from './join-spec.ts';
import type { JoinState } from './join-state.ts';

/** What a join has from open() on. */
export interface OpenedJoin {
  readonly context: OperatorContext;
  readonly rows: JoinRows;
  readonly output: JoinOutput;
}

export function openJoin(context: OperatorContext, spec: JoinSpec, state: JoinState): OpenedJoin {
  return { context, rows: new JoinRows(spec, state, context), output: new JoinOutput(context, spec, state) };
}
