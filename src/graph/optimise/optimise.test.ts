import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Value } from '../../core/index.ts';
import { formatExpression, loadParser } from '../../expr/index.ts';
import { graphsOf, jobOf, timedJobOf } from '../fixtures/compile-fake.ts';
import { randomJob } from '../fixtures/random-job.ts';
import { simulate } from '../fixtures/simulate.ts';
import type { LogicalGraph, LogicalSource } from '../logical/logical-graph.ts';
import { dropIdentitySelects } from './drop-identity-selects.ts';
import { foldExpressions } from './fold-expressions.ts';
import { planExchanges } from './plan-exchanges.ts';
import { chooseExchange, partitioningOf } from './choose-exchange.ts';
import { pruneColumns } from './prune-columns.ts';
import { pushFilters } from './push-filters.ts';

beforeAll(() => loadParser());

const numbers = fc.array(fc.nat(1000), { minLength: 30, maxLength: 80 });
const jobs = (failing: boolean): fc.Arbitrary<string> =>
  fc.tuple(numbers, fc.integer({ min: 0, max: 6 })).map(([choices, steps]) => randomJob(choices, steps, { failing }));

const orNull = (values: fc.Arbitrary<Value>): fc.Arbitrary<Value> => fc.option(values);
const randomRecords = fc.array(
  fc.tuple(
    orNull(fc.bigInt({ min: -3n, max: 3n })),
    orNull(fc.integer({ min: -2, max: 2 })),
    orNull(fc.constantFrom('x', 'y')),
    orNull(fc.boolean()),
    orNull(fc.array(orNull(fc.integer({ min: 0, max: 3 })), { maxLength: 3 })),
    orNull(fc.bigInt({ min: -5n, max: 5n })),
    orNull(fc.integer({ min: 0, max: 2 })),
    orNull(fc.constantFrom(0, 60_000)),
  ),
  { minLength: 1, maxLength: 8 },
);

function sourceOf(graph: LogicalGraph): LogicalSource {
  const source = graph.nodes.find((node) => node.kind === 'source');
  if (source === undefined) throw new Error('no source');
  return source;
}

const read = (graph: LogicalGraph): readonly string[] => sourceOf(graph).output.schema.fields.map(({ name }) => name);
const pushed = (graph: LogicalGraph): readonly string[] =>
  sourceOf(graph).spec.filters.map(({ stepId, predicate }) => `${stepId}: ${formatExpression(predicate)}`);
const kinds = (graph: LogicalGraph): readonly string[] => graph.nodes.map(({ id, kind }) => `${id} ${kind}`);

const filter = (id: string, text: string): string => `  - id: ${id}\n    filter: ${text}\n`;
const select = (id: string, fields: string): string => `  - id: ${id}\n    select: {${fields}}\n`;

describe('every pass leaves an equivalent job', () => {
  it('in its rows and its record errors, for filters that move and constants that are folded', async () => {
    await fc.assert(
      fc.asyncProperty(jobs(true), randomRecords, async (text, records) => {
        const { logical } = await graphsOf(text);
        const expected = simulate(logical, records);
        expect(simulate(foldExpressions(logical), records)).toEqual(expected);
        expect(simulate(pushFilters(logical), records)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('in its rows, for all passes together, at any parallelism', async () => {
    await fc.assert(
      fc.asyncProperty(jobs(false), randomRecords, fc.integer({ min: 1, max: 3 }), async (text, records, n) => {
        const { logical, optimised } = await graphsOf(text, { parallelism: n });
        expect(simulate(optimised, records)).toEqual(simulate(logical, records));
        for (const node of optimised.nodes) {
          const inputs = optimised.edges.filter(({ to }) => to === node.id);
          for (const { stream, from } of inputs) {
            expect(stream).toEqual(optimised.nodes.find(({ id }) => id === from)?.output);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('filters', () => {
  it('move into the source in their order', async () => {
    const { optimised } = await graphsOf(jobOf(filter('f', 'a > 1'), filter('g', 'ok')));
    expect(pushed(optimised)).toEqual(['f: a > 1', 'g: ok']);
    expect(kinds(optimised)).toEqual(['in source', 'out sink']);
  });

  it.each([
    ['past a select that renames', [select('s', 'x: a, y: b'), filter('f', 'x > 1')], ['f: a > 1']],
    ['not past a select that can fail', [select('s', 'x: a, y: 10 / b'), filter('f', 'x > 1')], []],
    ['past a select that cannot fail', [select('s', 'x: a, y: s IS NULL'), filter('f', 'x > 1')], ['f: a > 1']],
    ['not over a field that is computed', [select('s', 'x: CAST(b AS long)'), filter('f', 'x > 1')], []],
    ['not over metadata', [filter('f', 'part > 1')], []],
    ['past a filter over metadata', [filter('f', 'part > 1'), filter('g', 'a > 1')], ['g: a > 1']],
    ['not past one if they can fail', [filter('f', 'part > 1'), filter('g', '10 / b > 1')], []],
    ['not past one that can fail', [filter('f', '10 / part > 1'), filter('g', 'a > 1')], []],
    ['past a flatMap', ['  - id: m\n    flatMap: {x: xs}\n', filter('f', 'a > 1')], ['f: a > 1']],
    ['not over what a flatMap makes', ['  - id: m\n    flatMap: {x: xs}\n', filter('f', 'x > 1')], []],
    ['not past a flatMap if they can fail', ['  - id: m\n    flatMap: {x: xs}\n', filter('f', '10 / b > 1')], []],
    ['in the parts of an AND that cannot fail', [filter('f', 'a > 1 AND part > 1 AND ok')], ['f: (a > 1) AND ok']],
    ['but not in parts if one can fail', [filter('f', 'a > 1 AND part > 1 AND 10 / b > 1')], []],
    ['not out of a split', ['  - id: r\n    split: {p: a > 1, q: ok}\n', '  - id: u\n    union: [p, q]\n'], []],
  ] as const)('move %s', async (_what, steps, expected) => {
    const { logical } = await graphsOf(jobOf(...steps));
    expect(pushed(pushFilters(logical))).toEqual(expected);
  });
});

describe('fields', () => {
  it('that nobody needs are not read, also those that only a moved filter reads', async () => {
    const { optimised } = await graphsOf(jobOf(filter('f', 'ok'), select('s', 'x: a + 1')));
    expect(read(optimised)).toEqual(['a']);
  });

  it('that nobody needs are not computed', async () => {
    const { optimised } = await graphsOf(
      jobOf(select('s', 'x: a + 1, y: s, z: 10 / b'), '  - id: t\n    key: [y]\n    aggregate: {n: COUNT(*)}\n'),
    );
    expect(read(optimised)).toEqual(['s']);
  });

  it('do not cross an exchange without need', async () => {
    const { optimised } = await graphsOf(
      jobOf(filter('f', 'part > 1'), '  - id: t\n    key: [s]\n    aggregate: {n: SUM(b)}\n'),
      { parallelism: 2 },
    );
    const edge = optimised.edges.find(({ to }) => to === 't');
    expect(edge?.from).toBe('t.project');
    expect(edge?.stream.schema.fields.map(({ name }) => name)).toEqual(['b', 's']);
  });

  it('are at least one, and a cheap one', async () => {
    const { optimised } = await graphsOf(jobOf('  - id: t\n    aggregate: {n: COUNT(*)}\n'));
    expect(read(optimised)).toEqual(['b']);
  });

  it('of arrays that decide how many rows there are stay', async () => {
    const { optimised } = await graphsOf(
      jobOf('  - id: m\n    flatMap: {x: xs}\n', '  - id: t\n    aggregate: {n: COUNT(*)}\n'),
    );
    expect(read(optimised)).toContain('xs');
  });
});

describe('event time', () => {
  it('keeps its field in the source, and that at its place', async () => {
    const { optimised, jobGraph } = await graphsOf(timedJobOf(select('x', 's: s, a: a')));
    expect(read(optimised)).toEqual(['a', 's', 'at']);
    expect(kinds(optimised)).toEqual(['in source', 'x select', 'out sink']);
    expect(sourceOf(optimised).watermark?.column).toBe(2);
    const node = jobGraph.vertices[0]?.chain[0];
    expect(node?.kind === 'source' && node.watermark).toEqual({ column: 2, delayMs: 5000, idleMs: null });
  });

  it('follows its field where a select becomes the projection', async () => {
    const { optimised } = await graphsOf(timedJobOf(select('x', 'at: at, a: a')));
    expect(kinds(optimised)).toEqual(['in source', 'out sink']);
    expect(sourceOf(optimised).watermark?.column).toBe(0);
  });

  it('keeps filters out of the source: what they drop still moves time', async () => {
    const { optimised } = await graphsOf(timedJobOf(filter('f', 'a > 1')));
    expect(kinds(optimised)).toContain('f filter');
    expect(pushed(optimised)).toEqual([]);
  });
});

describe('selects', () => {
  it('that change nothing go', async () => {
    const { optimised } = await graphsOf(jobOf(select('s', 'a: a, s: s')));
    expect(kinds(optimised)).toEqual(['in source', 'out sink']);
    expect(read(optimised)).toEqual(['a', 's']);
  });

  it('that only reorder become the projection of their source', async () => {
    const { optimised } = await graphsOf(jobOf(select('s', 's: s, a: a')));
    expect(kinds(optimised)).toEqual(['in source', 'out sink']);
    expect(read(optimised)).toEqual(['s', 'a']);
    expect(sourceOf(optimised).spec.projection).toEqual([2, 0]);
  });

  it.each([
    ['rename', 'x: a'],
    ['repeat', 'a: a, x: a'],
    ['compute', 'a: a + 1'],
  ])('that %s stay', async (_what, fields) => {
    const { logical } = await graphsOf(jobOf(select('s', fields)));
    expect(kinds(dropIdentitySelects(pruneColumns(logical)))).toContain('s select');
  });
});

describe('exchanges', () => {
  const aggregate = '  - id: t\n    key: [s]\n    aggregate: {n: COUNT(*)}\n';
  async function exchangesOf(text: string, parallelism: number): Promise<readonly string[]> {
    const { optimised } = await graphsOf(text, { parallelism });
    return [...planExchanges(optimised)].map(([{ from, to }, { kind }]) => `${from} ${kind} ${to}`);
  }

  it('are forward in one subtask, also to a keyed step', async () => {
    expect(await exchangesOf(jobOf(aggregate), 1)).toEqual(['in forward t', 't forward out']);
  });

  it('are by hash in front of a keyed step', async () => {
    expect(await exchangesOf(jobOf(aggregate), 2)).toEqual(['in hash t', 't forward out']);
  });

  it('spread rows where the parallelism changes', async () => {
    const text = jobOf('  - id: m\n    flatMap: {x: xs}\n    parallelism: 3\n');
    expect(await exchangesOf(text, 2)).toContain('m rebalance out');
  });

  it('keep the rows of a key in order where the parallelism changes behind an aggregation', async () => {
    const text = jobOf(aggregate, '  - id: p\n    select: {m: n, k: s}\n    parallelism: 3\n');
    expect(await exchangesOf(text, 2)).toContain('t hash p');
  });

  it('gather rows for one total, and what follows it stays there', async () => {
    const { optimised } = await graphsOf(jobOf('  - id: t\n    aggregate: {n: COUNT(*)}\n'), { parallelism: 3 });
    expect(optimised.nodes.map(({ id, parallelism }) => `${id} ${parallelism}`)).toEqual(['in 3', 't 1', 'out 1']);
    expect(await exchangesOf(jobOf('  - id: t\n    aggregate: {n: COUNT(*)}\n'), 3)).toEqual([
      'in rebalance t',
      't forward out',
    ]);
  });

  it('are not repeated for rows that are partitioned by the same keys in the same order', async () => {
    const text = jobOf('  - id: t\n    key: [s, b]\n    aggregate: {n: COUNT(*)}\n');
    const { optimised } = await graphsOf(text, { parallelism: 2 });
    const [source, t] = ['in', 't'].map((id) => optimised.nodes.find((node) => node.id === id));
    if (source?.kind !== 'source' || t?.kind !== 'aggregate') throw new Error('not the graph that was meant');
    const edge = { stream: source.output, input: 0 };
    expect(chooseExchange(source, t, edge, t.keys).kind).toBe('forward');
    expect(chooseExchange(source, t, edge, [...t.keys].reverse()).kind).toBe('hash');
    expect(chooseExchange(source, t, edge, t.keys.slice(0, 1)).kind).toBe('hash');
    expect(partitioningOf(t, null)).toEqual([0, 1]);
  });

  it('follow keys through selects and flatMaps', async () => {
    const flatMap = '  - id: m\n    flatMap: {z: "SPLIT(y, \',\')"}\n';
    const { logical } = await graphsOf(jobOf(select('p', 'x: b, y: s'), flatMap, select('q', 'z: z')));
    const node = (id: string) => logical.nodes.find((each) => each.id === id) as LogicalGraph['nodes'][number];
    expect(partitioningOf(node('p'), [2, 1])).toEqual([1, 0]);
    expect(partitioningOf(node('p'), [0])).toBeNull();
    expect(partitioningOf(node('m'), [1])).toEqual([1]);
    expect(partitioningOf(node('q'), [0])).toBeNull();
  });
});
