import { describe, expect, it } from '@jest/globals';
import { RowKind, rowSchema, types } from '../core/index.ts';
import type { DataType, Expression, TransformStep, Value } from '../core/index.ts';
import { literalOf } from '../expr/index.ts';
import { driveOperatorAllWays } from '../testing/index.ts';
import { TransformOperator } from './transform-operator.ts';
import { UnionOperator } from './union-operator.ts';

const input = rowSchema([
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
  { name: 'divisor', type: types.int },
  { name: 'tags', type: types.array(types.string) },
]);

const column = (index: number): Expression => {
  const field = input.fields[index] as { name: string; type: DataType };
  return { kind: 'column', index, name: field.name, type: field.type };
};

const literal = (value: Value, type: DataType): Expression => literalOf(value, type) as Expression;

const call = (overload: string, type: DataType, ...args: Expression[]): Expression => ({
  kind: 'call',
  overload,
  args,
  type,
});

const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    values: [
      BigInt(i),
      i % 5 === 4 ? null : `name ${i}`,
      (i % 7) - 3,
      Array.from({ length: i % 4 }, (_, t) => `tag ${i} ${t}`),
    ] as Value[],
    timestamp: 1000 + i,
  }));

const drive = (steps: readonly TransformStep[], count = 2500) =>
  driveOperatorAllWays({ create: () => new TransformOperator({ steps, input }), input, rows: rows(count) });

describe('TransformOperator', () => {
  it('passes columns on untouched, with times and origins', async () => {
    const { rows: out } = await drive([
      {
        kind: 'select',
        stepId: 's',
        fields: [
          { name: 'n', expression: column(1) },
          { name: 'i', expression: column(0) },
        ],
      },
    ]);
    expect(out).toHaveLength(2500);
    expect(out[9]).toEqual({ values: [null, 9n], timestamp: 1009, rowKind: 0, origin: 'row 9' });
  });

  it('filters, keeping times and origins of the rows that stay', async () => {
    const { rows: out } = await drive([
      {
        kind: 'filter',
        stepId: 'f',
        predicate: call(
          'eq(long,long)',
          types.boolean,
          call('modulo(long,long)', types.long, column(0), literal(123n, types.long)),
          literal(0n, types.long),
        ),
      },
      { kind: 'select', stepId: 's', fields: [{ name: 'n', expression: column(1) }] },
    ]);
    expect(out.map((row) => row.origin)).toEqual(Array.from({ length: 21 }, (_, i) => `row ${i * 123}`));
    expect(out[1]).toMatchObject({ values: ['name 123'], timestamp: 1123 });
  });

  it('drops rows that fail and names their step, with what passed by reference still right', async () => {
    const { rows: out, failures } = await drive([
      {
        kind: 'filter',
        stepId: 'f',
        predicate: call('lt(long,long)', types.boolean, column(0), literal(2000n, types.long)),
      },
      {
        kind: 'select',
        stepId: 'q',
        fields: [
          { name: 'n', expression: column(1) },
          { name: 'q', expression: call('divide(int,int)', types.int, literal(12, types.int), column(2)) },
        ],
      },
    ]);
    const expected = Array.from({ length: 2000 }, (_, i) => i).filter((i) => i % 7 !== 3);
    expect(out.map((row) => row.origin)).toEqual(expected.map((i) => `row ${i}`));
    expect(out.map((row) => row.values[1])).toEqual(expected.map((i) => Math.trunc(12 / ((i % 7) - 3)) + 0));
    expect(failures).toHaveLength(2000 - expected.length);
    expect(failures[0]).toEqual({ stepId: 'q', code: 'MR-EXPR-DIVISION-BY-ZERO', origin: 'row 3' });
  });

  it('fails at step level in the first of several steps too', async () => {
    const { failures } = await drive(
      [
        {
          kind: 'filter',
          stepId: 'a',
          predicate: call(
            'gt(int,int)',
            types.boolean,
            call('divide(int,int)', types.int, literal(1, types.int), column(2)),
            literal(-9, types.int),
          ),
        },
        { kind: 'filter', stepId: 'b', predicate: literal(true, types.boolean) },
      ],
      10,
    );
    expect(failures.map((failure) => failure.stepId)).toEqual(['a']);
  });

  it('makes rows of arrays, stopping inside a row where the output is full', async () => {
    const steps: TransformStep[] = [
      { kind: 'flat-map', stepId: 'm', fields: [{ name: 'tag', expression: column(3) }], kept: [0, 1] },
      {
        kind: 'flat-map',
        stepId: 'm2',
        fields: [
          { name: 'a', expression: literal([1, null, 3], types.array(types.int)) },
          { name: 'b', expression: literal([7n], types.array(types.long)) },
        ],
        kept: [2, 0],
      },
    ];
    const { rows: out } = await drive(steps, 3000);
    const expected = Array.from({ length: 3000 }, (_, i) => i).flatMap((i) =>
      Array.from({ length: i % 4 }, (_, t) => [
        [`tag ${i} ${t}`, BigInt(i), 1, 7n],
        [`tag ${i} ${t}`, BigInt(i), null, null],
        [`tag ${i} ${t}`, BigInt(i), 3, null],
      ]).flat(),
    );
    expect(out.map((row) => row.values)).toEqual(expected);
    expect(out[3]?.timestamp).toBe(1002);
  });

  it('cuts texts into rows without making arrays', async () => {
    const separators = [' ', ', ', '€'];
    const texts = ['', ' ', 'one', 'a b  c ', ' é ü', 'x, y,z, ', '1€2€€3', null, 'word '.repeat(3000)];
    for (const separator of separators) {
      const words = call(
        'split(string,string)',
        types.array(types.string),
        column(1),
        literal(separator, types.string),
      );
      const steps: TransformStep[] = [
        { kind: 'flat-map', stepId: 'm', fields: [{ name: 'word', expression: words }], kept: [0] },
        {
          kind: 'filter',
          stepId: 'f',
          predicate: call(
            'ne(string,string)',
            types.boolean,
            { ...column(1), index: 1 } as Expression,
            literal('b', types.string),
          ),
        },
      ];
      const { rows: out } = await driveOperatorAllWays({
        create: () => new TransformOperator({ steps, input }),
        input,
        rows: texts.map((text, i) => ({ values: [BigInt(i), text, 1, null] })),
      });
      const expected = texts.flatMap((text, i) =>
        text === null
          ? []
          : text
              .split(separator)
              .filter((word) => word !== 'b')
              .map((word) => [BigInt(i), word]),
      );
      expect(out.map((row) => row.values)).toEqual(expected);
    }
  });

  it('keeps the elements made before a later element fails, and goes on with the next row', async () => {
    const steps: TransformStep[] = [
      {
        kind: 'flat-map',
        stepId: 'm',
        fields: [{ name: 'x', expression: literal([2, 1, 0, 5], types.array(types.int)) }],
        kept: [0],
      },
      {
        kind: 'select',
        stepId: 's',
        fields: [
          { name: 'i', expression: { kind: 'column', index: 0, name: 'i', type: types.long } },
          {
            name: 'q',
            expression: call('divide(int,int)', types.int, literal(10, types.int), {
              kind: 'column',
              index: 1,
              name: 'x',
              type: types.int,
            }),
          },
        ],
      },
    ];
    const { rows: out, failures } = await drive(steps, 3);
    expect(out.map((row) => row.values)).toEqual([
      [0n, 5],
      [0n, 10],
      [1n, 5],
      [1n, 10],
      [2n, 5],
      [2n, 10],
    ]);
    expect(failures.map((failure) => `${failure.stepId} ${failure.origin}`)).toEqual(['s row 0', 's row 1', 's row 2']);
  });

  it('goes on wide behind a result beyond the safe integers, and narrow in the next batch', async () => {
    const big = 9007199254740991n;
    const twice = call('add(long,long)', types.long, column(0), column(0));
    const test = {
      create: () =>
        new TransformOperator({
          steps: [
            {
              kind: 'select',
              stepId: 's',
              fields: [
                { name: 'x', expression: twice },
                { name: 'n', expression: column(1) },
              ],
            },
          ],
          input,
        }),
      input,
      rows: [1n, big, 2n, 2n ** 62n, null, 3n].map((id, i) => ({ values: [id, `n${i}`, 1, null] })),
    };
    const { rows: out, failures } = await driveOperatorAllWays(test);
    expect(out.map((row) => row.values)).toEqual([
      [2n, 'n0'],
      [2n * big, 'n1'],
      [4n, 'n2'],
      [null, 'n4'],
      [6n, 'n5'],
    ]);
    expect(failures).toEqual([{ stepId: 's', code: 'MR-EXPR-OVERFLOW', origin: 'row 3' }]);
  });
});

describe('TransformOperator, where one row of an update may pass without the other', () => {
  it('makes a delete and an insert of the two', async () => {
    const predicate = call('gt(long,long)', types.boolean, column(0), literal(5n, types.long));
    const steps: TransformStep[] = [{ kind: 'filter', stepId: 'f', predicate, splitsUpdates: true }];
    const { insert, updateBefore, updateAfter } = RowKind;
    const dropped = [[9n, insert], [9n, updateBefore], [4n, updateAfter]];
    const changes = [...dropped, [6n, insert], [6n, updateBefore], [7n, updateAfter]];
    const test = (given: readonly (readonly (bigint | number | undefined)[])[]) => ({
      create: () => new TransformOperator({ steps, input }),
      input,
      rows: given.map(([id, rowKind]) => ({ values: [id as bigint, null, 1, null], rowKind: rowKind as number })),
    });
    const { rows: out } = await driveOperatorAllWays(test(changes));
    expect(out.map(({ values, rowKind }) => [values[0], rowKind])).toEqual([
      [9n, insert],
      [9n, RowKind.delete],
      [6n, insert],
      [6n, RowKind.delete],
      [7n, insert],
    ]);
  });
});

describe('UnionOperator', () => {
  it('passes the rows of all inputs on', async () => {
    const all = rows(20).map((row, i) => ({ ...row, input: Math.floor(i / 3) % 3 }));
    const { rows: out } = await driveOperatorAllWays({ create: () => new UnionOperator(), input, rows: all });
    expect(out.map((row) => row.values)).toEqual(all.map((row) => row.values));
  });
});
