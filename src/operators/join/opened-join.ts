import type { OperatorContext } from '../../core/index.ts';
import { JoinOutput } from './join-output.ts';
import { JoinRows } from './join-rows.ts';
import type { JoinStore } from './join-rows.ts';
import type { JoinSpec } from './join-spec.ts';

/** What a join has from open() on. */
export interface OpenedJoin {
  readonly context: OperatorContext;
  readonly rows: JoinRows;
  readonly output: JoinOutput;
}

export function openJoin(context: OperatorContext, spec: JoinSpec, store: JoinStore): OpenedJoin {
  return { context, rows: new JoinRows(spec, store, context), output: new JoinOutput(context, spec, store) };
}
