/** A predicate asked row by row, for those without a generated loop of their own to put it into (emit-predicate.ts). */
import { code, CodeBuilder, columnKind, emptyCode, loadWideDecimal } from '../../core/index.ts';
import type { Code, Column, DataType, Expression } from '../../core/index.ts';
import { arrayAccess } from './column-access.ts';
import type { ColumnAccess, Mode } from './column-access.ts';
import { emitPredicate } from './emit-predicate.ts';

/** Whether the predicate is TRUE for a row. Throws record-scope errors. */
export type RowTest = (columns: readonly Column[], row: number) => boolean;

/** `placeOf` tells, for a field that the predicate names, where its column stands, and its type. */
export function compileRowTest(
  predicate: Expression,
  placeOf: (index: number) => { readonly place: number; readonly type: DataType },
): RowTest {
  const builder = new CodeBuilder();
  const [columns, row, narrowBlock] = [builder.fresh(), builder.fresh(), builder.fresh()];
  const names = new Map<number, { readonly name: Code; readonly type: DataType }>();
  const column = (mode: Mode) => (index: number) => {
    const { place, type } = placeOf(index);
    const known = names.get(place);
    const name = known?.name ?? builder.fresh();
    if (known === undefined) names.set(place, { name, type });
    return accessTo(builder, type, name, row, mode);
  };
  const needWide = code`break ${narrowBlock};`;
  const narrow = emitPredicate({ builder, predicate, mode: 'narrow', column: column('narrow'), needWide });
  const wide = emitPredicate({ builder, predicate, mode: 'wide', column: column('wide'), needWide });
  const locals = [...names].map(([place, { name }]) => code`const ${name} = ${columns}[${place}];`);
  const isNarrow = [...names.values()].map(({ name, type }) =>
    hasWide(type) ? code`${name}.wide === null && ` : emptyCode,
  );
  const body = code`
    ${locals}
    if (${isNarrow} true) ${narrowBlock}: {
      ${narrow.statements}
      return ${narrow.isTrue};
    }
    ${wide.statements}
    return ${wide.isTrue};`;
  return builder.build<RowTest>([columns, row], body);
}

function hasWide(type: DataType): boolean {
  return type.kind === 'long' || type.kind === 'decimal';
}

function accessTo(builder: CodeBuilder, type: DataType, name: Code, row: Code, mode: Mode): ColumnAccess {
  const isBytes = columnKind(type) === 'bytes';
  const arrays = isBytes
    ? { data: code`${name}.data`, starts: code`${name}.starts`, ends: code`${name}.ends` }
    : { values: code`${name}.values`, wide: code`${name}.wide`, loadWideDecimal: builder.constant(loadWideDecimal) };
  const access = arrayAccess(type, { ...arrays, nulls: code`${name}.nulls` }, row, mode);
  return { ...access, isNull: code`(${name}.hasNulls && ${name}.nulls[${row}] !== 0)` };
}
