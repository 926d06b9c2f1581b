/**
 * Steps that go by expressions (keys of a join, the order of a top-n) run on plain columns: a select in front computes
 * what is none, and a select behind leaves it out again.
 */
import { rowSchema } from '../../core/index.ts';
import type { Expression, RowSchema } from '../../core/index.ts';
import type { Outlet } from './graph-builder.ts';
import type { LogicalSelect, NamedExpression, RowStream } from './logical-graph.ts';

export interface ComputedFields {
  /** Where each expression stands behind the select. */
  readonly columns: readonly number[];
  /** How many fields the select adds, behind the others. */
  readonly added: number;
  /** Null where it would add none. */
  readonly select: LogicalSelect | null;
  /** What the step reads. */
  readonly outlet: Outlet;
}

export function computeFields(id: string, from: Outlet, expressions: readonly Expression[]): ComputedFields {
  const { stream } = from;
  const fields: NamedExpression[] = [...passOn(stream.schema)];
  const columns = expressions.map((expression) => {
    if (expression.kind === 'column') return expression.index;
    fields.push({ name: freeName('computed', fields.map(({ name }) => name)), expression });
    return fields.length - 1;
  });
  const added = fields.length - stream.schema.fields.length;
  if (added === 0) return { columns, added, select: null, outlet: from };
  const schema = rowSchema(fields.map(({ name, expression }) => ({ name, type: expression.type })));
  const output: RowStream = { ...stream, schema };
  const select: LogicalSelect = { kind: 'select', id, parallelism: null, narrows: from.id, fields, output };
  return { columns, added, select, outlet: { id, stream: output } };
}

/** Every field as it is. */
export function passOn({ fields }: RowSchema): readonly NamedExpression[] {
  return fields.map(({ name, type }, index) => ({ name, expression: { kind: 'column', index, name, type } }));
}

/** A name that no other field has. */
export function freeName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  for (let number = 2; taken.includes(name); number++) name = `${wanted}${number}`;
  return name;
}
