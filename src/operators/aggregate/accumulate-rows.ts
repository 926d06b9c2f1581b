/**
 * The loop over the rows of a batch, generated so that every call of an accumulator has one receiver and can be
 * inlined: a loop over an array of accumulators would be a megamorphic call each.
 */
import { CodeBuilder, RowKind, code } from '../../core/index.ts';
import type { Accumulator } from './accumulator.ts';

/** What a run takes and gives back. Reused. */
export interface AccumulateState {
  /** The row to begin with; then the end, or the row that failed. */
  row: number;
  end: number;
  outRow: number;
  groups: Int32Array;
  /** The RowKind of the next output row of each group. */
  nextKinds: Uint8Array;
  rowKinds: Uint8Array;
  /** The row of the input that each row of the output came from. */
  sourceRows: Int32Array;
  failure: unknown;
}

export type AccumulateRows = (state: AccumulateState) => void;

export function compileAccumulateRows(accumulators: readonly Accumulator[]): AccumulateRows {
  const builder = new CodeBuilder();
  const state = builder.fresh();
  const names = accumulators.map((accumulator) => builder.constant(accumulator));
  const stages = accumulators.flatMap((accumulator, index) => {
    const name = names[index];
    return accumulator.stage === undefined || name === undefined ? [] : [code`${name}.stage(group, row);`];
  });
  const commits = names.map((name) => code`${name}.commit(group, row, outRow);`);
  const body = code`const { groups, nextKinds, rowKinds, sourceRows, end } = ${state};
let { row, outRow } = ${state};
try {
for (; row < end; row++) {
const group = groups[row];
${stages}
${commits}
rowKinds[outRow] = nextKinds[group];
nextKinds[group] = ${RowKind.updateAfter};
sourceRows[outRow] = row;
outRow++;
}
} catch (error) {
${state}.failure = error;
}
${state}.row = row;
${state}.outRow = outRow;`;
  return builder.build<AccumulateRows>([state], body);
}
