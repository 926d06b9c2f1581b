import { describe, expect, it } from '@jest/globals';
import { CodeBuilder, code, rowSchema, types } from '../../core/index.ts';
import type { DataType, Expression, Field, RowSchema, TransformStep, Value } from '../../core/index.ts';
import { literalOf } from '../ir/literal.ts';
import { overloadById, overloads } from '../registry/registry.ts';
import { arrayAccess } from './column-access.ts';
import { compileTransform } from './compile-transform.ts';
import { emitPredicate } from './emit-predicate.ts';
import { callEmitters } from './emitters/index.ts';
import { ExpressionGenerator } from './random-expressions.ts';
import { Random } from './random-values.ts';

const BIDS = rowSchema([
  { name: 'auction', type: types.long },
  { name: 'price', type: types.long },
  { name: 'channel', type: types.string },
  { name: 'url', type: types.string },
  { name: 'tags', type: types.array(types.string) },
]);

const columnOf = (schema: RowSchema, index: number): Expression => {
  const { name, type } = schema.fields[index] as Field;
  return { kind: 'column', index, name, type };
};
const column = (index: number) => columnOf(BIDS, index);
const literal = (value: Value, type: DataType) => literalOf(value, type) as Expression;
const call = (overload: string, ...args: Expression[]): Expression => ({
  kind: 'call',
  overload,
  args,
  type: overloadById(overload).returns(
    args.map(({ type }) => type),
    [],
  ),
});
const select = (fields: Record<string, Expression>): TransformStep => ({
  kind: 'select',
  stepId: 'select',
  fields: Object.entries(fields).map(([name, expression]) => ({ name, expression })),
});

const inAuctions = call(
  'eq(long,long)',
  call('modulo(long,long)', column(0), literal(123n, types.long)),
  literal(0n, types.long),
);
const euros = call('multiply(decimal,decimal)', literal(908n, types.decimal(3, 3)), {
  kind: 'cast',
  arg: column(1),
  safe: false,
  type: types.decimal(19, 0),
});
const piece = (index: number) =>
  call('split_index(string,string,int)', column(3), literal('/', types.string), literal(index, types.int));

const chains: Record<string, TransformStep[]> = {
  'a filter and two columns': [
    { kind: 'filter', stepId: 'filter', predicate: inAuctions },
    select({ auction: column(0), price: column(1) }),
  ],
  'a decimal product': [select({ auction: column(0), euros })],
  'pieces of a text, found in one pass': [select({ a: piece(3), b: piece(4), c: piece(5) })],
  'a common part of two steps': [
    {
      kind: 'filter',
      stepId: 'filter',
      predicate: call('gt(decimal,decimal)', euros, literal(1000n, types.decimal(4, 0))),
    },
    select({ euros, twice: call('add(decimal,decimal)', euros, euros) }),
  ],
  'a CASE of texts': [
    select({
      channel: {
        kind: 'case',
        branches: [
          {
            when: call('eq(string,string)', call('lower(string)', column(2)), literal('apple', types.string)),
            then: literal('0', types.string),
          },
        ],
        otherwise: column(2),
        type: types.string,
      },
    }),
  ],
  'words of a text': [
    {
      kind: 'flat-map',
      stepId: 'map',
      fields: [{ name: 'word', expression: call('split(string,string)', column(2), literal(' ', types.string)) }],
      kept: [],
    },
  ],
  'elements of an array, filtered': [
    { kind: 'flat-map', stepId: 'map', fields: [{ name: 'tag', expression: column(4) }], kept: [0] },
    {
      kind: 'filter',
      stepId: 'filter',
      predicate: call(
        'like(string,string)',
        { kind: 'column', index: 1, name: 'tag', type: types.string },
        literal('a%', types.string),
      ),
    },
  ],
};

describe('generated source', () => {
  for (const [name, steps] of Object.entries(chains)) {
    it(`is as expected for ${name}`, () => {
      const transform = compileTransform(steps, BIDS);
      expect(transform.describe()).toMatchSnapshot('narrow, no NULLs');
      expect(transform.describe({ mode: 'narrow', nulls: true })).toMatchSnapshot('narrow, NULLs');
      expect(transform.describe({ mode: 'wide', nulls: false })).toMatchSnapshot('wide, no NULLs');
    });
  }

  it('holds no text of the user: neither names, nor literals, nor step ids', () => {
    const marker = 'zqMARKERqz';
    const hostile = `${marker}"'\`\${1}*/;\u2028\\n`;
    const schema = rowSchema([
      { name: `f${hostile}`, type: types.string },
      { name: `g${hostile}`, type: types.row([{ name: hostile, type: types.string }]) },
    ]);
    const text = literal(hostile, types.string);
    const bytes = literal(new TextEncoder().encode(hostile), types.bytes);
    const of = (overload: string, ...args: Expression[]) => call(overload, ...args);
    const steps: TransformStep[] = [
      { kind: 'filter', stepId: hostile, predicate: of('ne(string,string)', columnOf(schema, 0), text) },
      {
        kind: 'select',
        stepId: hostile,
        fields: [
          { name: hostile, expression: of('concat(string...)', columnOf(schema, 0), text) },
          { name: `${hostile}1`, expression: bytes },
          {
            name: `${hostile}2`,
            expression: of('like(string,string)', columnOf(schema, 0), literal(`%${hostile}%_`, types.string)),
          },
          { name: `${hostile}3`, expression: of('regexp_extract(string,string)', columnOf(schema, 0), text) },
          {
            name: `${hostile}4`,
            expression: of('split_index(string,string,int)', columnOf(schema, 0), text, literal(1, types.int)),
          },
          { name: `${hostile}5`, expression: literal([hostile], types.array(types.string)) },
          {
            name: `${hostile}6`,
            expression: of('in(string,string...)', columnOf(schema, 0), ...Array.from({ length: 12 }, () => text)),
          },
          { name: `${hostile}7`, expression: { kind: 'cast', arg: text, safe: false, type: types.json } },
          { name: `${hostile}8`, expression: columnOf(schema, 1) },
        ],
      },
    ];
    for (const mode of ['narrow', 'wide'] as const) {
      for (const nulls of [false, true]) {
        const source = compileTransform(steps, schema).describe({ mode, nulls });
        expect(source).not.toContain('MARKER');
        expect(source).not.toContain('\u2028');
        // What is left are our own words, names, numbers and signs: no quotes but for the empty text and truth values.
        expect(
          source
            .replaceAll("'use strict'", '')
            .replaceAll("''", '')
            .replaceAll(/'(TRUE|FALSE)'/g, ''),
        ).not.toMatch(/["'`\\]/);
      }
    }
  });

  it('is made of known words only, for random expressions with random texts', () => {
    const generator = new ExpressionGenerator(new Random(20_240_229));
    for (let n = 0; n < 300; n++) {
      const steps = [select({ x: generator.root(n * 7, 3) })];
      const source = compileTransform(steps, { fields: [...generator.schema.fields] }).describe({
        mode: 'narrow',
        nulls: true,
      });
      const rest = source
        .replaceAll("'use strict'", '')
        .replaceAll("''", '')
        .replaceAll(/'(TRUE|FALSE)'/g, '');
      expect(rest).not.toMatch(/["'`\\]|[^\n\x20-\x7e]/);
    }
  });
});

describe('overloads that call the interpreter', () => {
  it('are these', () => {
    expect([...overloads.keys()].filter((id) => !callEmitters.has(id)).sort()).toMatchSnapshot();
  });

  it('are all others: no emitter is for an overload that does not exist', () => {
    expect([...callEmitters.keys()].filter((id) => !overloads.has(id))).toEqual([]);
  });
});

describe('emitPredicate', () => {
  const run = (mode: 'narrow' | 'wide', predicate: Expression, rows: readonly (number | bigint | null)[]) => {
    const builder = new CodeBuilder();
    const [values, nulls, out, row] = [builder.fresh(), builder.fresh(), builder.fresh(), builder.fresh()];
    const { statements, isTrue } = emitPredicate({
      builder,
      predicate,
      mode,
      column: () => ({ isNull: code`${nulls}[${row}] === 1`, value: code`${values}[${row}]` }),
      needWide: code`${out}.push(2); continue;`,
    });
    const body = code`for (let ${row} = 0; ${row} < ${rows.length}; ${row}++) {
${statements}
${out}.push(${isTrue} ? 1 : 0);
}`;
    const results: number[] = [];
    const filled = rows.map((value) => value ?? (mode === 'wide' ? 0n : NaN));
    builder.build<(v: unknown, n: unknown, o: number[]) => void>([values, nulls, out], body)(
      filled,
      rows.map((value) => (value === null ? 1 : 0)),
      results,
    );
    return results;
  };
  const doubled = call('gt(long,long)', call('add(long,long)', column(0), column(0)), literal(10n, types.long));

  it('is true for TRUE only, and asks for wide code where a result is not safe', () => {
    expect(run('narrow', doubled, [6, 5, null, 2 ** 53 - 1, 7])).toEqual([1, 0, 0, 2, 1]);
  });

  it('is exact in wide code', () => {
    expect(run('wide', doubled, [6n, 5n, null, 2n ** 61n])).toEqual([1, 0, 0, 1]);
  });

  it('throws the record error of a row', () => {
    expect(() => run('wide', doubled, [2n ** 62n])).toThrow(
      expect.objectContaining({ code: 'MR-EXPR-OVERFLOW', scope: 'record' }),
    );
  });

  it('cannot hold a literal that is not safe in narrow code', () => {
    const large = call('gt(long,long)', column(0), literal(2n ** 60n, types.long));
    expect(run('narrow', large, [1, 2])).toEqual([2, 2]);
    expect(run('wide', large, [1n, 2n ** 61n])).toEqual([0, 1]);
  });

  it('says what an access lacks', () => {
    expect(() => arrayAccess(types.string, { nulls: null }, code`r`, 'narrow')).toThrow('data, starts and ends');
    expect(() => arrayAccess(types.long, { nulls: null, values: code`v` }, code`r`, 'wide')).toThrow('needs wide');
  });
});
