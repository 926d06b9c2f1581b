import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isMillraceError } from '../../core/index.ts';
import { loadParser } from '../../expr/index.ts';
import { graphsOf, jobOf } from '../fixtures/compile-fake.ts';
import { JOB_WITH_STATE } from '../fixtures/every-verb.ts';
import { randomJob } from '../fixtures/random-job.ts';
import { buildJobGraph } from './build-job-graph.ts';
import type { JobGraph } from './job-graph.ts';
import { deserialiseJobGraph, serialiseJobGraph } from './serialise-job-graph.ts';

beforeAll(() => loadParser());

const numbers = fc.array(fc.nat(1000), { minLength: 30, maxLength: 80 });
const jobs = (failing: boolean): fc.Arbitrary<string> =>
  fc.tuple(numbers, fc.integer({ min: 0, max: 6 })).map(([choices, steps]) => randomJob(choices, steps, { failing }));

const AGGREGATE = '  - id: t\n    key: [s]\n    aggregate: {n: COUNT(*)}\n';
const names = (graph: JobGraph): readonly string[] => graph.vertices.map(({ name }) => name);
const idOf = (graph: JobGraph, step: string): string | undefined =>
  graph.vertices.find(({ name }) => name.split(' -> ')[0] === step)?.id;

describe('the job graph', () => {
  it('is one chain where rows stay in their subtask', async () => {
    const { jobGraph } = await graphsOf(
      jobOf('  - id: f\n    filter: part > 1\n', '  - id: m\n    select: {s: s, x: a + 1}\n', AGGREGATE),
    );
    expect(names(jobGraph)).toEqual(['in -> f -> m -> t -> out']);
    expect(jobGraph.edges).toEqual([]);
    const [vertex] = jobGraph.vertices;
    expect(vertex?.chain.map(({ kind }) => kind)).toEqual(['source', 'transform', 'aggregate', 'sink']);
    const transform = vertex?.chain[1];
    expect(transform?.kind === 'transform' && transform.steps.map(({ stepId }) => stepId)).toEqual(['f', 'm']);
  });

  it('is cut at exchanges, branches and unions, sources first', async () => {
    const text = jobOf(
      '  - id: r\n    split: {p: a > 1, q: ok}\n',
      '  - id: second\n    source: nexmark\n',
      '  - id: n\n    select: {v: price}\n',
      '  - id: pp\n    from: p\n    select: {v: a}\n',
      '  - id: u\n    union: [n, pp]\n',
      '  - id: t\n    key: [v]\n    aggregate: {n: COUNT(*)}\n',
      '  - id: o\n    from: q\n    sink: print\n',
      '  - id: again\n    from: t\n    select: {v: v, n: n}\n',
    );
    const { jobGraph } = await graphsOf(text, { parallelism: 2 });
    expect(names(jobGraph)).toEqual(['in', 'second -> n', 'r.p -> pp', 'r.q -> o', 'u', 't -> out']);
    const numbers = new Map(jobGraph.vertices.map(({ id }, index) => [id, index]));
    const edges = jobGraph.edges.map((edge) => [numbers.get(edge.from), numbers.get(edge.to), edge.exchange.kind]);
    expect(edges).toEqual([
      [0, 2, 'forward'],
      [0, 3, 'forward'],
      [1, 4, 'forward'],
      [2, 4, 'forward'],
      [4, 5, 'hash'],
    ]);
    expect(jobGraph.vertices[4]?.inputs).toEqual([jobGraph.edges[2]?.id, jobGraph.edges[3]?.id]);
  });

  it('has edges only to vertices behind them', async () => {
    await fc.assert(
      fc.asyncProperty(jobs(true), fc.integer({ min: 1, max: 3 }), async (text, parallelism) => {
        const { jobGraph } = await graphsOf(text, { parallelism });
        const order = jobGraph.vertices.map(({ id }) => id);
        for (const edge of jobGraph.edges) expect(order.indexOf(edge.from)).toBeLessThan(order.indexOf(edge.to));
        for (const { chain, inputs, outputs } of jobGraph.vertices) {
          expect(inputs.length === 0).toBe(chain[0]?.kind === 'source');
          expect(outputs.length === 0).toBe(chain.at(-1)?.kind === 'sink');
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('ids', () => {
  it('are 32 hexadecimal digits, the same for the same file', async () => {
    const text = jobOf(AGGREGATE);
    const [first, second] = [await graphsOf(text, { parallelism: 2 }), await graphsOf(text, { parallelism: 2 })];
    expect(serialiseJobGraph(first.jobGraph)).toBe(serialiseJobGraph(second.jobGraph));
    for (const { id } of [...first.jobGraph.vertices, ...first.jobGraph.edges]) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('stay when an unrelated step is added, and when the parallelism changes', async () => {
    const before = (await graphsOf(jobOf(AGGREGATE), { parallelism: 2 })).jobGraph;
    const more = jobOf(
      '  - id: other\n    filter: ok\n    from: in\n',
      '  - id: o2\n    sink: print\n',
      AGGREGATE.replace('id: t', 'id: t\n    from: in'),
    );
    const after = (await graphsOf(more, { parallelism: 3 })).jobGraph;
    expect(idOf(after, 't')).toBe(idOf(before, 't'));
    expect(idOf(after, 'in')).toBe(idOf(before, 'in'));
    expect(before.edges.map(({ id }) => id)).toEqual([expect.stringMatching(/./)]);
    expect(after.edges.map(({ id }) => id)).toContain(before.edges[0]?.id);
  });

  it('are unique', async () => {
    const { jobGraph } = await graphsOf(
      jobOf('  - id: r\n    split: {p: a > 1, else: q}\n', '  - id: u\n    union: [p, q]\n'),
    );
    const ids = [...jobGraph.vertices.map(({ id }) => id), ...jobGraph.edges.map(({ id }) => id)];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('serialised', () => {
  it('a graph comes back equal, and its text is canonical', async () => {
    await fc.assert(
      fc.asyncProperty(jobs(true), fc.integer({ min: 1, max: 3 }), async (text, parallelism) => {
        const { jobGraph } = await graphsOf(text, { parallelism });
        const written = serialiseJobGraph(jobGraph);
        const read = deserialiseJobGraph(written);
        expect(read).toEqual(JSON.parse(JSON.stringify(jobGraph)));
        expect(serialiseJobGraph(read)).toBe(written);
        expect(serialiseJobGraph(reversedKeys(jobGraph))).toBe(written);
      }),
      { numRuns: 100 },
    );
  });

  it('numbers that JSON lacks and keys with a dollar survive', async () => {
    const { jobGraph } = await graphsOf(jobOf());
    const [vertex] = jobGraph.vertices;
    const [source] = vertex?.chain ?? [];
    if (vertex === undefined || source?.kind !== 'source') throw new Error('not the graph that was meant');
    const options = { a: NaN, b: -Infinity, c: -0, d: { $number: '1' }, $$e: 1, f: [{ $x: null }] };
    const odd = { ...jobGraph, vertices: [{ ...vertex, chain: [{ ...source, spec: { ...source.spec, options } }] }] };
    const [back] = deserialiseJobGraph(serialiseJobGraph(odd)).vertices[0]?.chain ?? [];
    expect(back?.kind === 'source' && back.spec.options).toEqual(options);
    expect(back?.kind === 'source' && Object.is(back.spec.options.c, -0)).toBe(true);
  });

  const codeOf = (text: string): string => {
    try {
      deserialiseJobGraph(text);
    } catch (error) {
      return isMillraceError(error) ? `${error.code}: ${error.message}` : String(error);
    }
    return 'none';
  };

  it('another version is refused', () => {
    expect(codeOf('{"version":2}')).toContain('MR-JOB-GRAPH-VERSION');
  });

  const damaged = ['', '{', '[]', 'null', '1', '{}', '{"version":1}', '{"version":1,"name":"x","maxParallelism":0}'];
  it.each(damaged)('%j is damaged', (text) => {
    expect(codeOf(text)).toContain('MR-JOB-GRAPH-INVALID');
  });

  const jobsToDamage = [
    ['without state', jobOf('  - id: m\n    select: {s: s, x: a + 1}\n', AGGREGATE)],
    ['with state', JOB_WITH_STATE],
  ] as const;
  it.each(jobsToDamage)('damage to any member is found, and named, of a job %s', async (_what, text) => {
    const { jobGraph } = await graphsOf(text, { parallelism: 2 });
    const paths = pathsOf(jobGraph).filter((path) => !path.includes('options') && !path.includes('value'));
    expect(paths.length).toBeGreaterThan(60);
    for (const path of paths) {
      const damaged: unknown = JSON.parse(serialiseJobGraph(jobGraph));
      setAt(damaged, path, { damaged: true });
      expect(`${path.join('.')} ${codeOf(JSON.stringify(damaged))}`).toMatch(/MR-JOB-GRAPH-(INVALID|VERSION)/);
    }
  });

  it('references outside of what they refer to are found', async () => {
    const { jobGraph } = await graphsOf(JOB_WITH_STATE, { parallelism: 2 });
    const references = /^(keys|leftKeys|rightKeys|column|key|call|inputs|outputs|from|to)$/;
    const paths = pathsOf(jobGraph).filter((path) => {
      const name = path.findLast((part) => !/^\d+$/.test(part)) ?? '';
      return references.test(name) && !path.includes('spec') && !path.includes('steps') && !path.includes('filter');
    });
    const kinds = new Set(paths.map((path) => path.findLast((part) => !/^\d+$/.test(part))));
    expect([...kinds].sort()).toEqual(
      ['call', 'column', 'from', 'inputs', 'key', 'keys', 'leftKeys', 'outputs', 'rightKeys', 'to'],
    );
    for (const path of paths) {
      const damaged: unknown = JSON.parse(serialiseJobGraph(jobGraph));
      const isId = /^(inputs|outputs|from|to)$/.test(path.findLast((part) => !/^\d+$/.test(part)) ?? '');
      setAt(damaged, path, isId ? '0'.repeat(32) : 1000);
      expect(`${path.join('.')} ${codeOf(JSON.stringify(damaged))}`).toContain('MR-JOB-GRAPH-INVALID');
    }
  });
});

function reversedKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversedKeys) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, member]) => [key, reversedKeys(member)])) as T;
}

function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]));
}

function setAt(value: unknown, path: readonly string[], to: unknown): void {
  const parent = path.slice(0, -1).reduce((at, key) => (at as Record<string, unknown>)[key], value);
  (parent as Record<string, unknown>)[path.at(-1) ?? ''] = to;
}

describe('a graph built by hand', () => {
  it('keeps the same chains when it is built again', async () => {
    const { optimised, jobGraph } = await graphsOf(jobOf(AGGREGATE), { parallelism: 2 });
    expect(buildJobGraph(optimised)).toEqual(jobGraph);
  });
});
