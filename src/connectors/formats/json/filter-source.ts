/** Generates the pushed-down filters of a source at the end of a record's code: rows that fail one are not kept. */
import { code, columnKind, loadWideDecimal } from '../../../core/index.ts';
import type { Code, Expression } from '../../../core/index.ts';
import { emitPredicate, type ColumnAccess, type Mode } from '../../../expr/index.ts';
import type { DecoderNames, TargetNames } from './decoder-names.ts';

export interface FilterSource {
  readonly predicate: Expression;
  /** The target that holds the field of this index. */
  readonly targetOf: (fieldIndex: number) => number;
}

/** `filter` is set to the index of the filter that is being evaluated, and to -1 afterwards. */
export function emitFilters(
  names: DecoderNames,
  filters: readonly FilterSource[],
  filter: Code,
  clearNulls: Code,
): Code {
  const { builder } = names;
  return code`${filters.map((source, index) => {
    const passes = builder.fresh();
    return code`
      ${filter} = ${index};
      let ${passes} = false;
      ${evaluate(names, source, passes)}
      ${filter} = -1;
      if (!${passes}) { ${clearNulls} continue; }`;
  })}`;
}

/**
 * Narrow code where every long and decimal that the filter reads is a safe integer; the wide version where one is not,
 * or where a result leaves the safe integers on the way.
 */
function evaluate(names: DecoderNames, source: FilterSource, passes: Code): Code {
  const { builder } = names;
  const [done, narrowBlock] = [builder.fresh(), builder.fresh()];
  const needWide = code`break ${narrowBlock};`;
  const wideArrays = new Set<TargetNames>();
  const column = (mode: Mode) => (index: number) => {
    const target = names.targets[source.targetOf(index)] as TargetNames;
    const kind = columnKind(target.field.type);
    if (kind === 'long' || kind === 'decimal') wideArrays.add(target);
    return accessTo(names, target, mode);
  };
  const { predicate } = source;
  const narrow = emitPredicate({ builder, predicate, mode: 'narrow', column: column('narrow'), needWide });
  const isNarrow = code`${[...wideArrays].map(({ wide }) => code`${wide} === null &&`)} true`;
  if (wideArrays.size === 0 && !narrow.statements.text.includes(needWide.text)) {
    return code`{ ${narrow.statements} ${passes} = ${narrow.isTrue}; }`;
  }
  const wide = emitPredicate({ builder, predicate, mode: 'wide', column: column('wide'), needWide });
  return code`
    ${done}: {
      if (${isNarrow}) ${narrowBlock}: {
        ${narrow.statements}
        ${passes} = ${narrow.isTrue};
        break ${done};
      }
      ${wide.statements}
      ${passes} = ${wide.isTrue};
    }`;
}

function accessTo({ builder, row }: DecoderNames, target: TargetNames, mode: Mode): ColumnAccess {
  const isNull = code`(${target.seen} & ${target.bit}) === 0`;
  const kind = columnKind(target.field.type);
  if (kind === 'bytes') {
    const data = code`${target.column}.data`;
    return { isNull, slice: { data, start: code`${target.starts}[${row}]`, end: code`${target.ends}[${row}]` } };
  }
  const narrow = code`${target.values}[${row}]`;
  if (mode === 'narrow' || (kind !== 'long' && kind !== 'decimal')) return { isNull, value: narrow };
  const { wide } = target;
  const loaded =
    kind === 'long' ? code`${wide}[${row}]` : code`${builder.constant(loadWideDecimal)}(${wide}, ${row})`;
  return { isNull, value: code`(${wide} === null ? BigInt(${narrow}) : ${loaded})` };
}
