/**
 * What is done to all calls of a step at once, generated so that every use of an accumulator has one receiver and can
 * be inlined: a loop over an array of accumulators would be a megamorphic call each.
 */
import { CodeBuilder, RowKind, code } from '../../core/index.ts';
import type { Accumulator, CallState } from './accumulator.ts';

/** What a run of a running aggregation takes and gives back. Reused. */
export interface RunningState {
  /** The row to begin with; then the end, or the row that failed. */
  row: number;
  end: number;
  outRow: number;
  slots: Int32Array;
  /** The RowKind of the next output row of each slot. */
  nextKinds: Uint8Array;
  rowKinds: Uint8Array;
  /** The row of the input that each row of the output came from. */
  sourceRows: Int32Array;
  failure: unknown;
}

export interface CallLoops {
  /** Adds rows [from, to) to their slots; rows whose slot is negative are left out. */
  readonly addRows: (slots: Int32Array, from: number, to: number) => void;
  /** Writes the results of a slot to a row of the output. */
  readonly write: (slot: number, outRow: number) => void;
  readonly merge: (slot: number, from: number) => void;
  readonly clear: (slot: number) => void;
}

export function compileCallLoops(accumulators: readonly Accumulator[]): CallLoops {
  return {
    addRows: compileAddRows(accumulators),
    write: compileForEach(accumulators, 'write'),
    merge: compileForEach(accumulators, 'merge'),
    clear: compileForEach(accumulators, 'clear'),
  };
}

function compileAddRows(accumulators: readonly Accumulator[]): CallLoops['addRows'] {
  const builder = new CodeBuilder();
  const [slots, from, to] = [builder.fresh(), builder.fresh(), builder.fresh()];
  const adds = accumulators.map((accumulator) => code`${builder.constant(accumulator)}.add(slot, row);`);
  const body = code`for (let row = ${from}; row < ${to}; row++) {
const slot = ${slots}[row];
if (slot < 0) continue;
${adds}
}`;
  return builder.build([slots, from, to], body);
}

/** One method of all calls, by name. */
export function compileForEach<F>(accumulators: readonly CallState[], method: 'write' | 'clear' | 'merge'): F {
  const builder = new CodeBuilder();
  const [a, b] = [builder.fresh(), builder.fresh()];
  const calls = accumulators.map((accumulator) => {
    const name = builder.constant(accumulator);
    switch (method) {
      case 'write':
        return code`${name}.write(${a}, ${b});`;
      case 'merge':
        return code`${name}.merge(${a}, ${b});`;
      case 'clear':
        return code`${name}.clear(${a});`;
    }
  });
  return builder.build([a, b], code`${calls}`);
}

/** One output row per row. A row that fails in one call leaves no trace in the others: all are checked first. */
export function compileRunningLoop(accumulators: readonly Accumulator[]): (state: RunningState) => void {
  const builder = new CodeBuilder();
  const state = builder.fresh();
  const names = accumulators.map((accumulator) => builder.constant(accumulator));
  const checks = names.filter((_, index) => accumulators[index]?.check !== undefined);
  const body = code`const { slots, nextKinds, rowKinds, sourceRows, end } = ${state};
let { row, outRow } = ${state};
try {
for (; row < end; row++) {
const slot = slots[row];
${checks.map((name) => code`${name}.check(slot, row);`)}
${names.map((name) => code`${name}.add(slot, row);\n${name}.write(slot, outRow);`)}
rowKinds[outRow] = nextKinds[slot];
nextKinds[slot] = ${RowKind.updateAfter};
sourceRows[outRow] = row;
outRow++;
}
} catch (error) {
${state}.failure = error;
}
${state}.row = row;
${state}.outRow = outRow;`;
  return builder.build([state], body);
}
