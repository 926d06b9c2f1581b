import { CodeBuilder, RowKind, code } from '../../../core/index.ts';
import type { UpdatingAccumulator } from '../accumulator.ts';

/** What a run over the rows of a batch takes. Reused. */
export interface UpdatingState {
  end: number;
  slots: Int32Array;
  /** Null where all are inserts. */
  rowKinds: Uint8Array | null;
  /** How many rows each slot has. */
  counts: Float64Array;
}

/**
 * Adds rows to all calls of their slots, or takes them back; generated for the same reason as in call-loops.ts. What is
 * taken back from an empty slot was never there.
 */
export function compileUpdatingLoop(accumulators: readonly UpdatingAccumulator[]): (state: UpdatingState) => void {
  const builder = new CodeBuilder();
  const state = builder.fresh();
  const names = accumulators.map((accumulator) => builder.constant(accumulator));
  const body = code`const { slots, rowKinds, counts, end } = ${state};
for (let row = 0; row < end; row++) {
const slot = slots[row];
const kind = rowKinds === null ? ${RowKind.insert} : rowKinds[row];
if (kind === ${RowKind.insert} || kind === ${RowKind.updateAfter}) {
counts[slot]++;
${names.map((name) => code`${name}.add(slot, row);`)}
} else if (counts[slot] > 0) {
counts[slot]--;
${names.map((name) => code`${name}.retract(slot, row);`)}
}
}`;
  return builder.build([state], body);
}
