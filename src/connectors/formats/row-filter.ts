import { code, CodeBuilder, columnKind, emptyCode, loadWideDecimal } from '../../core/index.ts';
import type { Code, Column, DataType, Expression, SourceSpec } from '../../core/index.ts';
import { arrayAccess, emitPredicate, type ColumnAccess, type Mode } from '../../expr/index.ts';
import type { WantedFields } from './wanted-fields.ts';

type RowTest = (columns: readonly Column[], row: number) => boolean;

/**
 * The pushed-down filters of a source, asked row by row: for sources that are not hot enough to have them inlined as
 * JSON has.
 */
export class RowFilter {
  readonly #tests: readonly { readonly stepId: string; readonly test: RowTest }[];
  /** The step of the filter that is being evaluated; null between them. */
  evaluating: string | null = null;

  constructor(spec: SourceSpec, wanted: WantedFields) {
    this.#tests = spec.filters.map(({ stepId, predicate }) => ({ stepId, test: compileTest(predicate, wanted) }));
  }

  /** Whether every filter is TRUE for the row of the target columns. Throws what a filter throws. */
  passes(columns: readonly Column[], row: number): boolean {
    for (const { stepId, test } of this.#tests) {
      this.evaluating = stepId;
      if (!test(columns, row)) {
        this.evaluating = null;
        return false;
      }
    }
    this.evaluating = null;
    return true;
  }
}

function compileTest(predicate: Expression, wanted: WantedFields): RowTest {
  const builder = new CodeBuilder();
  const [columns, row, narrowBlock] = [builder.fresh(), builder.fresh(), builder.fresh()];
  const names = new Map<number, { readonly name: Code; readonly type: DataType }>();
  const column = (mode: Mode) => (index: number) => {
    const target = wanted.targetOf(index);
    const known = names.get(target);
    const type = wanted.targets[target]?.field.type as DataType;
    const name = known?.name ?? builder.fresh();
    if (known === undefined) names.set(target, { name, type });
    return accessTo(builder, type, name, row, mode);
  };
  const needWide = code`break ${narrowBlock};`;
  const narrow = emitPredicate({ builder, predicate, mode: 'narrow', column: column('narrow'), needWide });
  const wide = emitPredicate({ builder, predicate, mode: 'wide', column: column('wide'), needWide });
  const locals = [...names].map(([target, { name }]) => code`const ${name} = ${columns}[${target}];`);
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
