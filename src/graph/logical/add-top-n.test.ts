import { describe, expect, it } from '@jest/globals';
import { compileFake, graphsOf, jobOf, problemsOf, timedJobOf } from '../fixtures/compile-fake.ts';

/** The step stands on line 8, its verb on line 9. */
const topN = (settings: string): string => jobOf(`  - id: t\n    topN: {${settings}}\n`);
const dedupe = (settings: string): string => jobOf(`  - id: d\n    dedupe: {${settings}}\n`);

describe('top-n', () => {
  it('ranks by fields, and by what is computed in front and left out behind', async () => {
    const { logical } = await graphsOf(topN('key: [s], by: [a + b desc, amount ASC, part], n: 3, rank: place'));
    expect(logical.nodes.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      'in source',
      't.by select',
      't top-n',
      't.select select',
      'out sink',
    ]);
    const node = logical.nodes.find(({ id }) => id === 't');
    expect(node).toMatchObject({
      keys: [2],
      by: [
        { column: 7, descending: true },
        { column: 5, descending: false },
        { column: 6, descending: false },
      ],
      count: 3,
      hasRank: true,
    });
    const stream = logical.edges.find(({ to }) => to === 'out')?.stream;
    expect(stream?.schema.fields.map(({ name }) => name)).toEqual([
      'a', 'b', 's', 'ok', 'xs', 'amount', 'part', 'place',
    ]);
    expect(stream).toMatchObject({ changelog: 'retract', uniqueKeys: [[2, 7]] });
  });

  it('needs nothing in front or behind for plain fields, and one subtask without a key', async () => {
    const { optimised } = await graphsOf(topN('by: a, n: 1'), { parallelism: 2 });
    expect(optimised.nodes.map(({ id, parallelism }) => `${id} ${parallelism}`)).toEqual(['in 2', 't 1', 'out 1']);
  });

  it.each([
    ['no order', 'n: 3', ['9:5 MR-JOB-MISSING-OPTION']],
    ['no number', 'by: a', ['9:5 MR-JOB-MISSING-OPTION']],
    ['none of them', 'by: a, n: 0', ['9:22 MR-JOB-BAD-OPTION']],
    ['a field that is none', 'by: aa desc, n: 1', ['9:16 MR-JOB-EXPRESSION']],
    ['an order of arrays', 'by: xs, n: 1', ['9:16 MR-JOB-EXPRESSION-TYPE']],
    ['an empty order', 'by: [], n: 1', ['9:16 MR-JOB-WRONG-SHAPE']],
    ['a key that is none', 'key: [ss], by: a, n: 1', ['9:18 MR-JOB-UNKNOWN-FIELD']],
    ['a rank that is taken', 'by: a, n: 1, rank: s', ['9:31 MR-JOB-DUPLICATE-FIELD']],
    ['a rank that is no name', 'by: a, n: 1, rank: " x"', ['9:31 MR-JOB-BAD-NAME']],
    ['a setting of another name', 'orderBy: a, limit: 1', ['9:12 MR-JOB-UNKNOWN-OPTION', '9:24 MR-JOB-UNKNOWN-OPTION']],
  ] as const)('with %s is refused', async (_what, settings, expected) => {
    expect(await problemsOf(topN(settings))).toEqual(expected);
  });

  it('refuses more than one subtask without a key', async () => {
    const text = jobOf('  - id: t\n    parallelism: 2\n    topN: {by: a, n: 1}\n');
    expect(await problemsOf(text)).toEqual(['10:5 MR-JOB-BAD-VALUE']);
  });

  it('is written as the newest row of each place by a sink that cannot take rows back', async () => {
    const sink = (options: string) => `sink: kafka\n    with: {topic: o, format: json${options}}`;
    const text = (options: string) => topN('key: [s], by: a, n: 3, rank: place').replace('sink: print', sink(options));
    const { problems } = await compileFake(text(''));
    expect(problems.map(({ code, expected }) => [code, expected?.slice(0, 17)])).toEqual([
      ['MR-JOB-CHANGELOG', '`key: [s, place]`'],
    ]);
    const { jobGraph } = await graphsOf(text(', key: [s, place]'));
    expect(jobGraph.vertices.at(-1)?.chain.at(-1)).toMatchObject({ spec: { changelog: 'upsert', uniqueKey: [2, 7] } });
  });

  it('is one row per key where it keeps only the first', async () => {
    const { logical } = await graphsOf(topN('key: [s], by: a, n: 1'));
    expect(logical.edges.find(({ to }) => to === 'out')?.stream).toMatchObject({ uniqueKeys: [[2]] });
  });

  it.each([
    ['a filter by a place', 'filter: place = 1', [[2, 7]]],
    ['a filter by what changes', 'filter: a > 1', [[2, 7]]],
    ['a select without the key', 'select: {a: a}', []],
    ['a flatMap', 'flatMap: {x: xs}', []],
  ])('goes on through %s', async (_what, verb, uniqueKeys) => {
    const step = '  - id: t\n    topN: {key: [s], by: a, n: 3, rank: place}\n';
    const { logical } = await graphsOf(jobOf(step, `  - id: x\n    ${verb}\n`));
    expect(logical.edges.find(({ to }) => to === 'out')?.stream).toMatchObject({ changelog: 'retract', uniqueKeys });
  });

  it('keeps rows that are equal in order where the parallelism changes', async () => {
    const step = '  - id: t\n    topN: {key: [s], by: a, n: 3}\n';
    const more = '  - id: x\n    select: {a: a, s: s, xs: xs}\n    parallelism: 3\n';
    const { jobGraph } = await graphsOf(jobOf(step, more), { parallelism: 2 });
    const exchanges = jobGraph.edges.map(({ exchange, schema }) =>
      exchange.kind === 'hash' ? exchange.keys.map((key) => schema.fields[key]?.name) : exchange.kind,
    );
    // Arrays have no hash; what equals in all else goes the same way.
    expect(exchanges).toEqual([['s'], ['a', 's']]);
  });

  it('takes back what was taken back from it, and what an aggregate says of it', async () => {
    const text = jobOf(
      '  - id: t\n    key: [s]\n    aggregate: {m: MAX(a), n: COUNT(*)}\n',
      '  - id: u\n    topN: {key: [n], by: m desc, n: 2}\n',
      '  - id: v\n    key: [n]\n    aggregate: {sum: SUM(m)}\n',
    );
    const { logical, jobGraph } = await graphsOf(text);
    expect(logical.nodes.map(({ id }) => id)).toEqual(['in', 't', 'u.normalise', 'u', 'v', 'out']);
    const nodes = jobGraph.vertices.flatMap(({ chain }) => chain);
    expect(nodes.flatMap((node) => ('retracts' in node ? [node.kind] : []))).toEqual(['top-n', 'aggregate']);
  });

  it.each([
    ['drops repetitions', 'dedupe: {key: [s]}'],
  ])('is refused by what %s: it would have to take back its own results', async (_what, verb) => {
    const step = '  - id: t\n    topN: {key: [s], by: a, n: 3}\n';
    const { problems } = await compileFake(jobOf(step, `  - id: x\n    ${verb}\n`));
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-CHANGELOG']);
  });
});

describe('dedupe', () => {
  it('keeps the first row of a key, which is unique then', async () => {
    const { logical } = await graphsOf(dedupe('key: [s, b], ttl: 1h'));
    const node = logical.nodes.find(({ id }) => id === 'd');
    expect(node).toMatchObject({ keys: [2, 1], keep: 'first', ttlMs: 3_600_000 });
    expect(node?.output).toMatchObject({ changelog: 'append', uniqueKeys: [[2, 1]], hasEventTime: false });
  });

  it('keeps the last, which replaces the one before', async () => {
    const { logical } = await graphsOf(timedJobOf('  - id: d\n    dedupe: {key: s, keep: last}\n'));
    const node = logical.nodes.find(({ id }) => id === 'd');
    expect(node).toMatchObject({ keep: 'last', ttlMs: null });
    expect(node?.output).toMatchObject({ changelog: 'upsert', uniqueKeys: [[2]], hasEventTime: true });
  });

  it('keeps only the fields that are needed, and a hash exchange by its key in front', async () => {
    const text = jobOf('  - id: d\n    dedupe: {key: [s], keep: last}\n', '  - id: x\n    select: {s: s, a: a}\n');
    const { jobGraph } = await graphsOf(text, { parallelism: 2 });
    const [edge] = jobGraph.edges;
    expect([edge?.exchange.kind, edge?.schema.fields.map(({ name }) => name)]).toEqual(['hash', ['a', 's']]);
    expect(jobGraph.vertices[1]?.chain.map(({ kind }) => kind)).toEqual(['dedupe', 'transform', 'sink']);
  });

  it.each([
    ['no key', 'keep: last', ['9:5 MR-JOB-MISSING-OPTION']],
    ['an empty key', 'key: []', ['9:19 MR-JOB-WRONG-SHAPE']],
    ['a key that is none', 'key: [ss]', ['9:20 MR-JOB-UNKNOWN-FIELD']],
    ['a key without equality', 'key: [xs]', ['9:20 MR-JOB-KEY-TYPE']],
    ['a row that is none', 'key: [s], keep: lst', ['9:30 MR-JOB-BAD-OPTION']],
    ['a key under another name', 'keys: [s]', ['9:14 MR-JOB-UNKNOWN-OPTION']],
  ] as const)('with %s is refused', async (_what, settings, expected) => {
    expect(await problemsOf(dedupe(settings))).toEqual(expected);
  });
});
