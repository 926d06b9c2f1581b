import { describe, expect, it } from '@jest/globals';
import { formatType } from '../../core/index.ts';
import { compileFake, graphsOf, jobOf, problemsOf, timedJobOf } from '../fixtures/compile-fake.ts';
import type { WindowNode } from '../job/job-graph.ts';
import type { LogicalGraph } from './logical-graph.ts';

const ALL = 'n: COUNT(*), from: WINDOW_START, until: WINDOW_END';

/** The step stands on line 9; `window` on line 11. */
const windowed = (window: string, calls = ALL): string =>
  `  - id: w\n    key: [s]\n    window: ${window}\n    aggregate: {${calls}}\n`;

const streamOf = (graph: LogicalGraph) => {
  const output = graph.nodes.find(({ id }) => id === 'w')?.output;
  const fields = (output?.schema.fields ?? []).map(({ name, type }) => `${name} ${formatType(type)}`).join(', ');
  return { fields, changelog: output?.changelog, uniqueKeys: output?.uniqueKeys, hasEventTime: output?.hasEventTime };
};

async function windowOf(window: string, calls = ALL): Promise<WindowNode> {
  const { jobGraph } = await graphsOf(timedJobOf(windowed(window, calls)));
  const node = jobGraph.vertices.flatMap(({ chain }) => chain).find(({ kind }) => kind === 'window');
  if (node?.kind !== 'window') throw new Error('no window');
  return node;
}

describe('windows', () => {
  it.each([
    ['{tumble: 1m}', { kind: 'tumble', sizeMs: 60_000, offsetMs: 0 }],
    ['{tumble: {size: 1d, offset: 6h}}', { kind: 'tumble', sizeMs: 86_400_000, offsetMs: 21_600_000 }],
    ['{hop: {size: 1m, slide: 10s}}', { kind: 'hop', sizeMs: 60_000, slideMs: 10_000, offsetMs: 0 }],
    ['{cumulate: {step: 1m, max: 1h}}', { kind: 'cumulate', stepMs: 60_000, maxMs: 3_600_000, offsetMs: 0 }],
    ['{session: 5m}', { kind: 'session', gapMs: 300_000 }],
    ['{session: {gap: 5m}}', { kind: 'session', gapMs: 300_000 }],
    ['{count: 100}', { kind: 'count', size: 100 }],
  ])('take %s', async (window, expected) => {
    const node = await windowOf(window);
    expect(node).toMatchObject({ window: expected, latenessMs: 0, earlyMs: null });
    expect(node.keys.map((key) => node.input.fields[key]?.name)).toEqual(['s']);
  });

  it('have the fields of the key, then those of `aggregate` in their order', async () => {
    const node = await windowOf('{tumble: 1m}', 'until: window_end, n: COUNT(*), from: "WINDOW_START()", m: MAX(a)');
    expect(node.fields).toEqual([
      { kind: 'key', key: 0 },
      { kind: 'window-end' },
      { kind: 'call', call: 0 },
      { kind: 'window-start' },
      { kind: 'call', call: 1 },
    ]);
    const fields = node.output.fields.map(({ name, type }) => `${name} ${formatType(type)}`);
    expect(fields).toEqual(['s string', 'until timestamp', 'n long', 'from timestamp', 'm long']);
  });

  it.each([
    ['{tumble: 1m}', ALL, 'append', [[0, 2]]],
    ['{tumble: 1m}', 'n: COUNT(*), until: WINDOW_END', 'append', [[0, 2]]],
    ['{tumble: 1m}', 'n: COUNT(*)', 'append', []],
    ['{cumulate: {step: 1m, max: 1h}}', ALL, 'append', [[0, 3]]],
    ['{tumble: 1m, lateness: 10s}', ALL, 'upsert', [[0, 2]]],
    ['{session: 1m, lateness: 10s}', ALL, 'upsert', [[0, 2]]],
    ['{hop: {size: 1m, slide: 10s}, early: 1s}', ALL, 'upsert', [[0, 2]]],
    ['{cumulate: {step: 1m, max: 1h}, early: 1s}', ALL, 'upsert', [[0, 3]]],
  ])('emit, for %s with %s, a stream that is %s', async (window, calls, changelog, uniqueKeys) => {
    const { logical } = await graphsOf(timedJobOf(windowed(window, calls)));
    expect(streamOf(logical)).toMatchObject({ changelog, uniqueKeys, hasEventTime: true });
  });

  it('of so many rows need no event time, and have none', async () => {
    const { logical } = await graphsOf(jobOf(windowed('{count: 3}')));
    expect(streamOf(logical)).toMatchObject({ changelog: 'append', uniqueKeys: [], hasEventTime: false });
  });

  it.each([
    ['no kind', '{lateness: 1s}', ['11:14 MR-JOB-WINDOW']],
    ['two kinds', '{tumble: 1m, session: 1m}', ['11:26 MR-JOB-WINDOW']],
    ['a kind that is none', '{tumbel: 1m}', ['11:14 MR-JOB-UNKNOWN-KEY']],
    ['text', '1m', ['11:5 MR-JOB-WRONG-SHAPE']],
    ['nothing', '', ['11:5 MR-JOB-WRONG-SHAPE']],
    ['a size that is none', '{tumble: often}', ['11:22 MR-JOB-BAD-OPTION']],
    ['no size', '{tumble: 0s}', ['11:22 MR-JOB-BAD-OPTION']],
    ['a hop without a slide', '{hop: {size: 1m}}', ['11:14 MR-JOB-MISSING-OPTION']],
    ['a hop that is a duration', '{hop: 1m}', ['11:14 MR-JOB-WRONG-SHAPE']],
    ['a size that slides do not fill', '{hop: {size: 1m, slide: 7s}}', ['11:26 MR-JOB-WINDOW']],
    ['too many slides', '{hop: {size: 1d, slide: 1ms}}', ['11:26 MR-JOB-WINDOW']],
    ['a step longer than the whole', '{cumulate: {step: 2h, max: 1h}}', ['11:40 MR-JOB-WINDOW']],
    ['an offset as long as the window', '{tumble: {size: 1m, offset: 60s}}', ['11:41 MR-JOB-WINDOW']],
    ['no rows', '{count: 0}', ['11:21 MR-JOB-BAD-OPTION']],
    ['lateness that is none', '{tumble: 1m, lateness: soon}', ['11:36 MR-JOB-BAD-OPTION']],
    ['lateness of a count', '{count: 5, lateness: 1s}', ['11:24 MR-JOB-WINDOW']],
    ['early sessions', '{session: 1m, early: 1s}', ['11:27 MR-JOB-UNSUPPORTED']],
    ['late rows that nothing reads', '{tumble: 1m, late: x}', ['11:32 MR-JOB-UNUSED-STEP']],
    ['late rows to no name', '{tumble: 1m, late: a b}', ['11:32 MR-JOB-BAD-NAME']],
    ['late rows to a source', '{tumble: 1m, late: in}', ['11:32 MR-JOB-FROM']],
    ['late rows of a count', '{count: 5, late: x}', ['11:24 MR-JOB-WINDOW', '11:30 MR-JOB-UNUSED-STEP']],
  ] as const)('with %s are refused', async (_what, window, expected) => {
    expect(await problemsOf(timedJobOf(windowed(window)))).toEqual(expected);
  });

  it.each([
    ['{sliding: {size: 1m, every: 10s}}', ['hop', 'slide']],
    ['{tumble: 1m, allowedLateness: 1s}', ['lateness']],
    ['{cumulate: {step: 1m, maxSize: 1h}}', ['max']],
  ])('suggest for %s the names %j', async (window, wanted) => {
    const { problems } = await compileFake(timedJobOf(windowed(window)));
    expect(problems.map(({ suggestion }) => suggestion)).toEqual(wanted);
  });

  it('that fire again say which window a row is of', async () => {
    const text = timedJobOf(windowed('{tumble: 1m, lateness: 1s}', 'n: COUNT(*)'));
    expect(await problemsOf(text)).toEqual(['11:5 MR-JOB-WINDOW']);
    const start = timedJobOf(windowed('{cumulate: {step: 1m, max: 1h}, early: 1s}', 'n: COUNT(*), t: WINDOW_START'));
    const { problems } = await compileFake(start);
    expect(problems.map(({ expected }) => expected)).toEqual(['a field of the `aggregate` with WINDOW_END']);
  });

  it('have their bounds, and nothing else has', async () => {
    const text = jobOf('  - id: w\n    aggregate: {n: COUNT(*), until: WINDOW_END}\n');
    expect(await problemsOf(text)).toEqual(['9:37 MR-JOB-EXPRESSION']);
  });
});

describe('late rows', () => {
  const window = windowed('{tumble: 1m, late: too-late}', 'n: COUNT(*)');

  it('go to the step of their name, as they came', async () => {
    const onTime = '  - id: on-time\n    from: w\n    select: {n: n}\n';
    const text = timedJobOf(window, '  - id: too-late\n    sink: print\n', onTime);
    const { logical, jobGraph } = await graphsOf(text, { parallelism: 2 });
    const stream = (from: string) => logical.edges.find((edge) => edge.from === from)?.stream;
    expect(stream('w.too-late')).toEqual(stream('in'));
    expect(jobGraph.vertices.map(({ name }) => name)).toEqual(['in', 'w', 'too-late', 'on-time -> out']);
    const side = jobGraph.edges.map(({ side, exchange, schema }) => [side, exchange.kind, schema.fields.length]);
    expect(side).toEqual([
      [undefined, 'hash', 8],
      ['late', 'forward', 8],
      [undefined, 'forward', 2],
    ]);
    const [, node] = jobGraph.vertices;
    expect(node?.outputs).toEqual([jobGraph.edges[1]?.id, jobGraph.edges[2]?.id]);
  });

  it('are read by any step that names them, and carry what those need through the window', async () => {
    const readers = '  - id: l1\n    from: too-late\n    select: {b: b}\n  - id: o1\n    sink: print\n';
    const other =
      '  - id: l2\n    from: too-late\n    key: [ok]\n    aggregate: {m: MAX(a)}\n  - id: o2\n    sink: print\n';
    const text = timedJobOf(window, readers, other, '  - id: on-time\n    from: w\n    select: {n: n}\n');
    const { optimised, jobGraph } = await graphsOf(text, { parallelism: 2 });
    const names = (to: string) =>
      optimised.edges.find((edge) => edge.to === to)?.stream.schema.fields.map(({ name }) => name);
    expect(names('w')).toEqual(['a', 'b', 's', 'ok']);
    expect(names('l1')).toEqual(['a', 'b', 's', 'ok']);
    expect(names('l2')).toEqual(['a', 'ok']);
    expect(jobGraph.edges.filter(({ side }) => side === 'late').length).toBe(2);
  });
});

describe('event time', () => {
  it('is needed, and the source without it is named', async () => {
    const { problems } = await compileFake(jobOf(windowed('{tumble: 1m}')));
    expect(problems).toMatchObject([{ line: 10, column: 5, code: 'MR-JOB-EVENT-TIME' }]);
    expect(problems[0]?.message).toContain('`in`');
    expect(problems[0]?.expected).toContain('`watermark: {field: …, delay: …}` in `in`');
  });

  it('is needed on every path', async () => {
    const other =
      '  - id: p\n    select: {s: s}\n  - id: other\n    source: nexmark\n  - id: q\n    select: {s: url}\n';
    const { problems } = await compileFake(
      timedJobOf(other, '  - id: u\n    union: [p, q]\n', windowed('{tumble: 1m}')),
    );
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-EVENT-TIME']);
    expect(problems[0]?.message).toContain('those of `other` have none');
  });

  it('passes through filters, selects, flatMaps, splits, unions and other windows', async () => {
    const text = timedJobOf(
      '  - id: f\n    filter: a > 1\n',
      '  - id: m\n    flatMap: {x: xs}\n',
      '  - id: r\n    split: {p: ok, else: q}\n',
      '  - id: u\n    union: [p, q]\n',
      '  - id: c\n    select: {s: s, a: a}\n',
      windowed('{tumble: 1m}').replace('id: w', 'id: v'),
      windowed('{tumble: 1h}', 'm: MAX(n)'),
    );
    const { logical, jobGraph } = await graphsOf(text, { parallelism: 2 });
    expect(logical.edges.every(({ stream }) => stream.hasEventTime)).toBe(true);
    // The same key: rows stay where the first window put them.
    const chains = jobGraph.vertices.map(({ chain }) => chain.map(({ kind }) => kind).join(' '));
    expect(chains.at(-1)).toBe('window window sink');
    expect(jobGraph.edges.at(-1)?.exchange.kind).toBe('hash');
  });

  it('is not there behind running totals', async () => {
    const totals = '  - id: t\n    key: [s]\n    aggregate: {n: COUNT(*)}\n';
    const { problems } = await compileFake(timedJobOf(totals, windowed('{tumble: 1m}', 'm: MAX(n)')));
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-EVENT-TIME', 'MR-JOB-CHANGELOG']);
    expect(problems[0]?.message).toContain('those of `t` have none');
  });
});
