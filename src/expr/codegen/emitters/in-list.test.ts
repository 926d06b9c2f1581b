import { describe, expect, it } from '@jest/globals';
import { batchOf, ColumnBatch, rowSchema, rowsOf, types } from '../../../core/index.ts';
import type { DataType, Expression, Value } from '../../../core/index.ts';
import { interpret } from '../../interpret.ts';
import { literalOf } from '../../ir/literal.ts';
import { compileTransform } from '../compile-transform.ts';

/** More literals than are compared one by one. */
const COUNT = 20;

const cases: readonly [DataType, (index: number) => Value, readonly Value[]][] = [
  [types.int, (i) => i * 3, [0, 57, 58, -3, null]],
  [types.long, (i) => BigInt(i) * 3n, [0n, 57n, 58n, null, 2n ** 60n]],
  [types.long, (i) => (i === 0 ? 2n ** 60n : BigInt(i)), [0n, 5n, 2n ** 60n, null]],
  [types.double, (i) => (i === 0 ? NaN : i === 1 ? -0 : i / 2), [NaN, 0, -0, 1.5, 99, null]],
  [types.decimal(10, 2), (i) => BigInt(i) * 150n, [0n, 300n, 301n, null]],
  [types.string, (i) => `word ${i}`, ['word 0', 'word 19', 'word 20', '', 'wörd', null]],
  [types.bytes, (i) => Uint8Array.of(i, 255 - i), [Uint8Array.of(3, 252), Uint8Array.of(3), null]],
  [types.date, (i) => i - 10, [-10, 9, 10, null]],
  [types.boolean, (i) => i > 30, [true, false, null]],
];

describe('IN with many literals', () => {
  for (const [type, item, values] of cases) {
    for (const withNull of [false, true]) {
      it(`is the interpreter's for ${type.kind}${withNull ? ' and a NULL' : ''} (${String(item(0))}, …)`, () => {
        const items = Array.from({ length: COUNT }, (_, index) => literalOf(item(index), type) as Expression);
        if (withNull) items[7] = { kind: 'literal', type, value: null };
        const expression: Expression = {
          kind: 'call',
          overload: `in(${type.kind},${type.kind}...)`,
          args: [{ kind: 'column', index: 0, name: 'x', type }, ...items],
          type: types.boolean,
        };
        const schema = rowSchema([{ name: 'x', type }]);
        const fields = [{ name: 'in', expression }];
        const transform = compileTransform([{ kind: 'select', stepId: 's', fields }], schema);
        const rows = values.map((value) => [value]);
        const out = new ColumnBatch(transform.output, rows.length);
        expect(transform.run(batchOf(schema, rows), 0, out)).toBe(rows.length);
        expect(rowsOf(out)).toEqual(rows.map((row) => [interpret(expression, row)]));
      });
    }
  }
});
