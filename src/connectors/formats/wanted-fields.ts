import type { Expression, Field, SourceSpec } from '../../core/index.ts';

/** A field of the record that somebody needs. */
export interface WantedField {
  readonly field: Field;
  /** Its index in the schema. */
  readonly index: number;
  /** Its column in the emitted batch, or -1: only a filter reads it. */
  readonly output: number;
}

export interface WantedFields {
  /** In the order of the schema. */
  readonly targets: readonly WantedField[];
  /** The position in `targets` of a field of the schema. */
  readonly targetOf: (fieldIndex: number) => number;
  /** Columns of the batch that show the same field as an earlier one. */
  readonly aliases: readonly { readonly from: number; readonly to: number }[];
}

/** What a decoder has to decode: the projection's fields and those that filters read; all else is only checked. */
export function wantedFields(spec: SourceSpec): WantedFields {
  const outputs = new Map<number, number>();
  const aliases: { from: number; to: number }[] = [];
  spec.projection.forEach((fieldIndex, column) => {
    if (fieldIndex >= spec.schema.fields.length) return;
    const first = outputs.get(fieldIndex);
    if (first === undefined) outputs.set(fieldIndex, column);
    else aliases.push({ from: first, to: column });
  });
  const read = new Set(outputs.keys());
  for (const { predicate } of spec.filters) collectColumns(predicate, read);
  const targets = spec.schema.fields.flatMap((field, index) =>
    read.has(index) ? [{ field, index, output: outputs.get(index) ?? -1 }] : [],
  );
  const positions = new Map(targets.map((target, position) => [target.index, position]));
  return { targets, targetOf: (fieldIndex) => positions.get(fieldIndex) ?? -1, aliases };
}

function collectColumns(expression: Expression, into: Set<number>): void {
  switch (expression.kind) {
    case 'column':
      into.add(expression.index);
      return;
    case 'literal':
      return;
    case 'call':
    case 'logic':
    case 'coalesce':
      for (const arg of expression.args) collectColumns(arg, into);
      return;
    case 'cast':
    case 'is-null':
      collectColumns(expression.arg, into);
      return;
    case 'case':
      for (const { when, then } of expression.branches) {
        collectColumns(when, into);
        collectColumns(then, into);
      }
      collectColumns(expression.otherwise, into);
  }
}
