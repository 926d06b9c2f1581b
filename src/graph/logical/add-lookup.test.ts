import { describe, expect, it } from '@jest/globals';
import { graphsOf, jobOf, problemsOf } from '../fixtures/compile-fake.ts';

/** The step stands on line 8, its verb on line 9. */
const lookup = (...lines: readonly string[]): string =>
  jobOf(`  - id: l\n    lookup: table\n${lines.map((line) => `    ${line}\n`).join('')}`);
const WITH = 'with: {path: /t, format: csv}';
const ON = 'on: {id: a}';
const SCHEMA = 'schema: {name: string}';

describe('lookup', () => {
  it('asks by expressions that are computed in front, and by fields; what is found stands behind the row', async () => {
    const text = lookup(WITH, 'on: {id: a + 1, t: s}', 'schema: {name: string, limit: long}', 'cache: 5', 'retry: 2');
    const { logical } = await graphsOf(text);
    expect(logical.nodes.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      'in source', 'l.on select', 'l lookup', 'out sink',
    ]);
    expect(logical.nodes.find(({ id }) => id === 'l')).toMatchObject({
      spec: {
        connector: 'table',
        options: { path: '/t' },
        format: { name: 'csv' },
        keys: { fields: [{ name: 'id', type: { kind: 'long' } }, { name: 't', type: { kind: 'string' } }] },
        schema: { fields: [{ name: 'name' }, { name: 'limit' }] },
      },
      keys: [7, 2],
      kept: [0, 1, 2, 3, 4, 5, 6],
      found: [0, 1],
      type: 'left',
      isOrdered: true,
      capacity: 100,
      timeoutMs: 10_000,
      retry: { attempts: 2, initialMs: 100, maxMs: 5000 },
      cache: { rows: 5, ttlMs: null, keepsMissing: true },
    });
    const stream = logical.edges.find(({ to }) => to === 'out')?.stream;
    expect(stream?.schema.fields.map(({ name }) => name)).toEqual([
      'a', 'b', 's', 'ok', 'xs', 'amount', 'part', 'name', 'limit',
    ]);
    expect(stream).toMatchObject({ changelog: 'append', uniqueKeys: [] });
  });

  it('reads and writes only what somebody needs', async () => {
    const text = jobOf(
      `  - id: l\n    lookup: table\n    ${WITH}\n    on: {id: b}\n    schema: {name: string, l: long, tier: int}\n`,
      '  - id: p\n    select: {x: tier, y: a}\n',
    );
    const { optimised } = await graphsOf(text, { parallelism: 2 });
    const node = optimised.nodes.find(({ id }) => id === 'l');
    expect(node).toMatchObject({ keys: [1], kept: [0], found: [2], output: { schema: { fields: [{}, {}] } } });
    expect(node?.output?.schema.fields.map(({ name }) => name)).toEqual(['a', 'tier']);
  });

  it.each([
    ['nothing to ask by', [WITH, SCHEMA], ['8:5 MR-JOB-MISSING-KEY']],
    ['nothing to find', [WITH, ON], ['8:5 MR-JOB-MISSING-KEY']],
    ['no options', [ON, SCHEMA], ['9:13 MR-JOB-MISSING-OPTION', '9:13 MR-JOB-MISSING-OPTION']],
    ['an expression that is none', [WITH, 'on: {id: aa}', SCHEMA], ['11:14 MR-JOB-EXPRESSION']],
    ['arrays to ask by', [WITH, 'on: {id: xs}', SCHEMA], ['11:14 MR-JOB-KEY-TYPE']],
    ['a type that is none', [WITH, ON, 'schema: {name: strin}'], ['12:20 MR-JOB-TYPE']],
    ['a field that the row has', [WITH, ON, 'schema: {s: string}'], ['12:14 MR-JOB-DUPLICATE-FIELD']],
    ['what the connector refuses', [WITH, 'on: {id: CAST(a AS double)}', SCHEMA], ['10:18 MR-JOB-BAD-OPTION']],
    ['no capacity', [WITH, ON, SCHEMA, 'capacity: 0'], ['13:15 MR-JOB-BAD-OPTION']],
    ['an attempt that is none', [WITH, ON, SCHEMA, 'retry: 0'], ['13:12 MR-JOB-BAD-OPTION']],
    ['a cache without a size', [WITH, ON, SCHEMA, 'cache: {ttl: 1m}'], ['13:5 MR-JOB-MISSING-OPTION']],
    ['a list of caches', [WITH, ON, SCHEMA, 'cache: [1]'], ['13:12 MR-JOB-WRONG-SHAPE']],
    ['a name of Flink', [WITH, ON, SCHEMA, 'concurrency: 5'], ['13:5 MR-JOB-UNKNOWN-KEY']],
  ] as const)('with %s is refused', async (_what, lines, expected) => {
    expect(await problemsOf(lookup(...lines))).toEqual(expected);
  });

  it('may ask code of a file, which has no options', async () => {
    const step = (more: string) => `  - id: l\n    lookup: ./f.ts#find\n    ${ON}\n    ${SCHEMA}\n${more}`;
    const findCode = (path: string) =>
      Promise.resolve({ url: `file:///job/${path}`, text: 'export async function find() {}' });
    const { jobGraph } = await graphsOf(jobOf(step('')), { findCode });
    const node = jobGraph.vertices[0]?.chain.find(({ kind }) => kind === 'lookup');
    expect(node).toMatchObject({ code: { module: 'file:///job/./f.ts', name: 'find', step: null } });
    expect(await problemsOf(jobOf(step(`    ${WITH}\n`)))).toEqual(['12:5 MR-JOB-CODE']);
    expect(await problemsOf(jobOf(step('').replace('f.ts#find', 'f.ts#a b')))).toEqual(['9:13 MR-JOB-CODE']);
  });

  it('names connectors that there are, and refuses rows that replace others', async () => {
    const step = (name: string) => `  - id: l\n    lookup: ${name}\n    ${WITH}\n    ${ON}\n    ${SCHEMA}\n`;
    expect(await problemsOf(jobOf(step('tabel')))).toEqual(['9:13 MR-JOB-UNKNOWN-CONNECTOR']);
    const totals = '  - id: t\n    key: [a]\n    aggregate: {n: COUNT(*)}\n';
    expect(await problemsOf(jobOf(totals, step('table')))).toEqual(['12:5 MR-JOB-CHANGELOG']);
  });
});
