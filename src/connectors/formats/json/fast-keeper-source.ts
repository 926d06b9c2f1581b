/** Generates the loop that takes over into columns those rows of a FastDecoder that pass the source's filters. */
import { code, columnKind } from '../../../core/index.ts';
import type { Code, Column, Field } from '../../../core/index.ts';
import { allSeen, clearNulls, columnLocals, decoderNames, setNulls } from './decoder-names.ts';
import type { TargetNames } from './decoder-names.ts';
import type { DecodeState } from './decode-state.ts';
import { emitFilters, type FilterSource } from './filter-source.ts';

/** The columns of one target in the memory of a FastDecoder; of strings, `values` are the starts. */
export interface FastColumn {
  readonly values: Float64Array | Int32Array | Uint8Array;
  readonly ends: Int32Array;
  readonly nulls: Uint8Array;
}

/** Takes over rows from `from` to `to`, which are records from `shift` on; returns the row that it stopped at. */
export type GeneratedKeeper = (
  state: DecodeState,
  fast: readonly FastColumn[],
  from: number,
  to: number,
  shift: number,
  columns: readonly Column[],
  records: Int32Array,
  capacity: number,
) => number;

export function generateKeeper(targets: readonly Field[], filters: readonly FilterSource[]): GeneratedKeeper {
  const names = decoderNames(targets);
  const { builder, state, row } = names;
  const [fast, from, to, shift, columns, records, capacity, f, filter] = Array.from({ length: 9 }, () =>
    builder.fresh(),
  ) as [Code, Code, Code, Code, Code, Code, Code, Code, Code];
  const moves = names.targets.map((target) => {
    const [values, ends, nulls] = [builder.fresh(), builder.fresh(), builder.fresh()];
    const source = code`${fast}[${target.index}]`;
    return {
      locals: code`const ${values} = ${source}.values, ${ends} = ${source}.ends, ${nulls} = ${source}.nulls;`,
      move: code`
        if (${nulls}[${f}] !== 0) ${target.seen} &= ${~target.bit};
        ${moveValue(target, row, values, ends, f)}`,
    };
  });
  const body = code`
    ${columnLocals(names, columns)}
    ${moves.map(({ locals }) => locals)}
    let ${row} = ${state}.row, ${f} = ${from}, ${filter} = -1;
    try {
      for (; ${f} < ${to} && ${row} < ${capacity}; ${f}++) {
        ${names.seenWords.map((word, index) => code`let ${word} = ${allSeen(names, index)};`)}
        ${moves.map(({ move }) => move)}
        ${setNulls(names)}
        ${emitFilters(names, filters, filter, clearNulls(names))}
        ${records}[${row}] = ${f} + ${shift};
        ${row}++;
      }
    } catch (error) {
      ${state}.fail(error, ${filter});
    }
    ${state}.row = ${row};
    return ${f};`;
  return builder.build([state, fast, from, to, shift, columns, records, capacity], body);
}

function moveValue(target: TargetNames, row: Code, values: Code, ends: Code, f: Code): Code {
  if (columnKind(target.field.type) !== 'bytes') return code`${target.values}[${row}] = ${values}[${f}];`;
  return code`
    ${target.starts}[${row}] = ${values}[${f}];
    ${target.ends}[${row}] = ${ends}[${f}];`;
}
