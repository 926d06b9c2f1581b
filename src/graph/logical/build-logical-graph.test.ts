import { describe, expect, it } from '@jest/globals';
import { formatType } from '../../core/index.ts';
import { compileFake, graphsOf, jobOf, problemsOf } from '../fixtures/compile-fake.ts';
import { formatProblem } from '../spec/problem.ts';
import type { RowStream } from './logical-graph.ts';

const fieldsOf = (stream: RowStream | null | undefined): string =>
  (stream?.schema.fields ?? []).map(({ name, type }) => `${name} ${formatType(type)}`).join(', ');

/** The first step of jobOf's that is not its source stands on line 8. */
const step = (text: string): string => `  - id: x\n    ${text}\n`;

describe('the logical graph', () => {
  it('has the fields, the changelog and the unique keys of every edge', async () => {
    const { logical } = await graphsOf(
      jobOf(
        '  - id: f\n    filter: amount > 100\n',
        '  - id: m\n    flatMap: {s: xs}\n',
        '  - id: t\n    key: [ok, s]\n    aggregate: {total: SUM(amount), n: COUNT(*)}\n',
        '  - id: renamed\n    select: {n: n, what: s, ok: ok}\n',
      ),
    );
    const edges = logical.edges.map(({ from, to, stream }) => [
      `${from}-${to}`,
      fieldsOf(stream),
      stream.changelog,
      JSON.stringify(stream.uniqueKeys),
    ]);
    const all = 'a long, b int, s string, ok boolean, xs array<int>, amount decimal(10,2), part int';
    const mapped = 'a long, b int, ok boolean, xs array<int>, amount decimal(10,2), part int, s int';
    expect(edges).toEqual([
      ['in-f', all, 'append', '[]'],
      ['f-m', all, 'append', '[]'],
      ['m-t', mapped, 'append', '[]'],
      ['t-renamed', 'ok boolean, s int, total decimal(38,2), n long', 'upsert', '[[0,1]]'],
      ['renamed-out', 'n long, what int, ok boolean', 'upsert', '[[2,1]]'],
    ]);
  });

  it('has one unique empty key without `key`', async () => {
    const { logical } = await graphsOf(jobOf(step('aggregate: {n: COUNT(*)}')));
    expect(logical.nodes.find(({ id }) => id === 'x')?.output?.uniqueKeys).toEqual([[]]);
  });

  it('gives a split one filter per branch, the first that is TRUE', async () => {
    const { logical } = await graphsOf(
      jobOf('  - id: r\n    split: {p: a > 1, q: ok, else: z}\n', '  - id: u\n    union: [p, q, z]\n'),
    );
    const branches = logical.nodes.filter(({ kind }) => kind === 'filter');
    expect(branches.map(({ id }) => id)).toEqual(['r.p', 'r.q', 'r.z']);
    expect(logical.edges.filter(({ to }) => to === 'u').map(({ from }) => from)).toEqual(['r.p', 'r.q', 'r.z']);
  });
});

describe('problems of types and expressions', () => {
  it.each([
    ['an unknown field', step('filter: amount > regoin'), ['9:22 MR-JOB-EXPRESSION']],
    ['a filter of another type', step('filter: a + 1'), ['9:13 MR-JOB-EXPRESSION']],
    ['SQL that is none', step('filter: a >'), ['9:15 MR-JOB-EXPRESSION']],
    [
      'two mistakes in one expression',
      step('filter: c1 > 1 AND c2 > 2'),
      ['9:13 MR-JOB-EXPRESSION', '9:24 MR-JOB-EXPRESSION'],
    ],
    ['a flatMap of a text', step('flatMap: {w: s}'), ['9:18 MR-JOB-EXPRESSION-TYPE']],
    ['an unknown key', step('key: [sss]\n    aggregate: {n: COUNT(*)}'), ['9:11 MR-JOB-UNKNOWN-FIELD']],
    ['a key twice', step('key: [s, s]\n    aggregate: {n: COUNT(*)}'), ['9:14 MR-JOB-DUPLICATE-FIELD']],
    ['a key without equality', step('key: [xs]\n    aggregate: {n: COUNT(*)}'), ['9:11 MR-JOB-KEY-TYPE']],
    [
      'an output with the name of a key',
      step('key: [s]\n    aggregate: {s: COUNT(*)}'),
      ['10:17 MR-JOB-DUPLICATE-FIELD'],
    ],
    ['a scalar for an aggregate', step('key: [s]\n    aggregate: {n: a + 1}'), ['10:20 MR-JOB-EXPRESSION']],
    ['parallelism of one total', step('parallelism: 2\n    aggregate: {n: COUNT(*)}'), ['10:5 MR-JOB-BAD-VALUE']],
    ['too much parallelism', step('parallelism: 200\n    filter: ok'), ['8:9 MR-JOB-PARALLELISM']],
  ] as const)('finds %s', async (_what, text, expected) => {
    expect(await problemsOf(jobOf(text))).toEqual(expected);
  });

  it.each([
    ['a plain value', 'filter: a > 1 AND wrong = 2', '9:23'],
    ['a plain value of two lines', 'filter: a > 1\n      AND wrong = 2', '10:11'],
    ['single quotes', "filter: 's = ''x'' AND wrong = 2'", '9:28'],
    ['double quotes', 'filter: "s = \'\\u0041\' AND wrong = 2"', '9:31'],
    ['a literal block', 'filter: |\n      a > 1\n      AND wrong = 2', '11:11'],
    ['a folded block', 'filter: >-\n      a > 1\n\n      AND wrong = 2', '12:11'],
    ['a variable in front', 'filter: s = ${NONE:-\'x\'} AND wrong = 2', '9:34'],
  ])('points into %s', async (_what, text, place) => {
    expect(await problemsOf(jobOf(step(text)))).toEqual([`${place} MR-JOB-EXPRESSION`]);
  });

  it('reports one mistake once: what follows from it is not reported', async () => {
    const text = jobOf(
      '  - id: s1\n    select: {x: wrong + 1, y: a}\n',
      '  - id: s2\n    filter: x > 1 AND y > 2\n',
      '  - id: s3\n    key: [x]\n    aggregate: {n: COUNT(*), m: SUM(x)}\n',
      '  - id: s4\n    select: {x: x, n: n, z: m + 1}\n',
    );
    expect(await problemsOf(text)).toEqual(['9:17 MR-JOB-EXPRESSION']);
  });

  it('does not show variables in what it finds', async () => {
    const { problems } = await compileFake(jobOf(step("filter: a = '${SECRET}' AND ${SECRET} > 1")));
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(formatProblem(problem)).not.toContain('hunter2');
  });

  it('finds mistakes of every kind at once', async () => {
    const text = [
      'name: five',
      'steps:',
      '  - id: in',
      '    source: kafka',
      '    with: {topik: t, format: jsn}', // 5: two
      '    schema:',
      '      amount: decimal(10;2)', // 7
      '      region: strng', // 8
      '  - id: f',
      '    filter: amount > 100 AND regoin IS NOT NULL', // doubtful: amount
      '  - id: g',
      '    filter: region > ', // doubtful: region
      '  - id: out',
      '    sink: prnt', // 14
      '',
    ].join('\n');
    const places = (await problemsOf(text)).map((problem) => problem.split(' ')[0]);
    expect(places).toEqual(['5:12', '5:30', '7:25', '8:15', '14:11']);
  });
});

describe('problems of connectors', () => {
  const source = (lines: string): string =>
    `name: t\nsteps:\n  - id: in\n    source: kafka\n${lines}  - id: out\n    sink: print\n`;
  const schema = '    schema: {a: int}\n';
  const json = (more: string): string => `    with: {topic: t, format: json${more}}\n${schema}`;
  it.each([
    ['an unknown option', json(', topc: x'), ['5:36 MR-JOB-UNKNOWN-OPTION']],
    ["Kafka's own name", json(', bootstrap.servers: x'), ['5:36 MR-JOB-UNKNOWN-OPTION']],
    ['a missing option', `    with: {format: json}\n${schema}`, ['5:5 MR-JOB-MISSING-OPTION']],
    ['a missing with', schema, ['4:13 MR-JOB-MISSING-OPTION', '4:13 MR-JOB-MISSING-OPTION']],
    ['a missing format', `    with: {topic: t}\n${schema}`, ['5:5 MR-JOB-MISSING-OPTION']],
    ['a bad value', json(', poll: soon'), ['5:42 MR-JOB-BAD-OPTION']],
    ['an option without value', json(', poll: '), ['5:36 MR-JOB-BAD-OPTION']],
    ['a bad option of the format', json(', timestamps: iso'), ['5:48 MR-JOB-BAD-OPTION']],
    ['an option of another format', json(', delimiter: x'), ['5:36 MR-JOB-UNKNOWN-OPTION']],
    ['an unknown format', json(', timestamps: iso-8601').replace('json', 'jsn'), ['5:30 MR-JOB-UNKNOWN-FORMAT']],
    ["a connector's check", `    with: {topic: forbidden, format: json}\n${schema}`, ['5:19 MR-JOB-BAD-OPTION']],
    [
      "a format's check",
      '    with: {topic: t, format: csv}\n    schema: {a: array<int>}\n',
      ['5:30 MR-JOB-BAD-OPTION'],
    ],
    ['no schema', '    with: {topic: t, format: json}\n', ['4:5 MR-JOB-SCHEMA']],
    ['a schema that is fixed', `    with: {topic: t, format: fixed}\n${schema}`, ['6:5 MR-JOB-SCHEMA']],
    ['an unknown type', '    with: {topic: t, format: json}\n    schema: {a: strng}\n', ['6:17 MR-JOB-TYPE']],
    ['unknown metadata', json('') + '    metadata: {m: ofset}\n', ['7:19 MR-JOB-METADATA']],
    ['metadata with a name that is taken', json('') + '    metadata: {a: key}\n', ['7:16 MR-JOB-DUPLICATE-FIELD']],
  ] as const)('finds %s', async (_what, lines, expected) => {
    expect(await problemsOf(source(lines))).toEqual(expected);
  });

  it.each([
    ['bootstrap.servers', 'brokers'],
    ['scan.startup.mode', 'start'],
    ['value.format', 'format'],
    ['Topic', 'topic'],
  ])('suggests for the option %s the name %s', async (given, wanted) => {
    const { problems } = await compileFake(source(`    with: {${given}: x}\n${schema}`));
    expect(problems.find(({ code }) => code === 'MR-JOB-UNKNOWN-OPTION')?.suggestion).toBe(wanted);
    expect(problems.some(({ message }) => message.includes(`\`${wanted}\` is required`))).toBe(false);
  });

  it('accepts a fixed schema, also declared again', async () => {
    expect(await problemsOf(source('    with: {topic: t, format: fixed}\n'))).toEqual([]);
    expect(await problemsOf(source('    with: {topic: t, format: fixed}\n    schema: {value: bytes}\n'))).toEqual([]);
    expect(await problemsOf(source('').replace('kafka', 'nexmark'))).toEqual([]);
  });

  it.each([
    ['a field that is none', '{field: tss}', ['8:24 MR-JOB-UNKNOWN-FIELD']],
    ['a field that is no timestamp', '{field: a, delay: 5s}', ['8:24 MR-JOB-EXPRESSION-TYPE']],
    ['a delay that is none', '{field: ts, delay: soon}', ['8:35 MR-JOB-BAD-OPTION']],
    ['an unknown setting', '{field: ts, dealy: 5s}', ['8:28 MR-JOB-UNKNOWN-OPTION']],
    ['no field', '{delay: 5s}', ['8:5 MR-JOB-MISSING-OPTION']],
    ['nothing', '', ['8:5 MR-JOB-WRONG-SHAPE']],
    ['a list', '[ts]', ['8:5 MR-JOB-WRONG-SHAPE']],
  ])('finds a watermark with %s', async (_what, watermark, expected) => {
    const timed = '    with: {topic: t, format: json}\n    schema: {a: long, ts: timestamp}\n';
    const text = source(`${timed}    metadata: {at: timestamp}\n    watermark: ${watermark}\n`);
    expect(await problemsOf(text)).toEqual(expected);
  });

  it.each([
    ['{field: ts, delay: 5s, idle: 1m}', { column: 1, delayMs: 5000, idleMs: 60_000 }],
    ['{field: ts, drift: 1h}', { column: 1, delayMs: 0, idleMs: null, maxDriftMs: 3_600_000 }],
    ['{field: at}', { column: 2, delayMs: 0, idleMs: null }],
    ['ts', { column: 1, delayMs: 0, idleMs: null }],
  ])('takes the watermark %s', async (watermark, expected) => {
    const timed = '    with: {topic: t, format: json}\n    schema: {a: long, ts: timestamp}\n';
    const text = source(`${timed}    metadata: {at: timestamp}\n    watermark: ${watermark}\n`);
    const { logical } = await graphsOf(text);
    const [node] = logical.nodes;
    expect(node?.kind === 'source' && node.watermark).toEqual(expected);
    expect(node?.output?.hasEventTime).toBe(true);
  });

  it('needs checkpoints where a sink writes exactly once', async () => {
    const sink = 'kafka\n    with: {topic: o, format: json, delivery: exactly-once}';
    const text = source(json('')).replace('print', sink);
    expect(await problemsOf(text)).toEqual(['9:46 MR-JOB-CHECKPOINT']);
    expect(await problemsOf(`checkpoint: {interval: 10s, mode: at-least-once}\n${text}`)).toEqual([
      '10:46 MR-JOB-CHECKPOINT',
    ]);
    expect(await problemsOf(`checkpoint: 10s\n${text}`)).toEqual([]);
    expect(await problemsOf(`checkpoint: soon\n${text}`)).toEqual(['1:13 MR-JOB-BAD-OPTION']);
  });

  it('refuses dead letters where the connector has none', async () => {
    const socket = source(`    with: {host: a, port: 1, format: raw}\n${schema}    errors: {to: dlq}\n`);
    expect(await problemsOf(socket.replace('kafka', 'socket'))).toEqual(['7:18 MR-JOB-UNSUPPORTED']);
  });

  it('never shows a secret option', async () => {
    const text = source(json(', password: hunter2'));
    const { problems } = await compileFake(text);
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-BAD-OPTION']);
    expect(problems.map(formatProblem).join()).not.toContain('hunter2');
  });

  it('knows sinks from sources, and formats that only read', async () => {
    const { problems } = await compileFake(source(json('')).replace('kafka', 'print'));
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-UNKNOWN-CONNECTOR']);
    expect(problems[0]?.expected).toContain('is a sink');
    const kafka = 'kafka\n    with: {topic: o, format: syslog}';
    const sink = source(json('')).replace('print', kafka);
    expect(await problemsOf(sink)).toEqual(['9:30 MR-JOB-FORMAT']);
  });

  it("checks a sink's options against what reaches it", async () => {
    const sink = 'sink: kafka\n    with: {topic: o, format: json, key: [n, m]}';
    const text = jobOf(step('select: {n: a}')).replace('sink: print', sink);
    expect(await problemsOf(text)).toEqual(['12:45 MR-JOB-BAD-OPTION']);
  });
});

describe('changelogs', () => {
  const totals = '  - id: t\n    key: [s]\n    aggregate: {n: COUNT(*)}\n';
  it.each([
    ['a filter over a total', '    filter: n > 1', 'retract', [[0]]],
    ['a filter over the key', "    filter: s <> 'x'", 'upsert', [[0]]],
    ['a split by a total', '    split: {y1: n > 1}\n  - id: z\n    from: y1\n    filter: TRUE', 'retract', [[0]]],
    ['a select that keeps the key', '    select: {k: s, m: n * 2}', 'upsert', [[0]]],
    ['a select that drops the key', '    select: {m: n}', 'retract', []],
    ['a select that computes the key', '    select: {s: "s || \'x\'", n: n}', 'retract', []],
    ['a flatMap', '    flatMap: {w: "SPLIT(s, \',\')"}', 'retract', []],
    ['another aggregation', '    key: [n]\n    aggregate: {m: COUNT(*)}', 'upsert', [[0]]],
  ] as const)('knows what %s makes of running totals', async (_what, line, changelog, uniqueKeys) => {
    const { logical } = await graphsOf(jobOf(totals, `  - id: y\n${line}\n`));
    expect(logical.edges.find(({ to }) => to === 'out')?.stream).toMatchObject({ changelog, uniqueKeys });
  });

  it('keeps the last row of a key in front of what has to know which row is replaced, and only there', async () => {
    const step = '  - id: y\n    key: [n]\n    aggregate: {m: MAX(s)}\n';
    const { logical, jobGraph } = await graphsOf(jobOf(totals, step), { parallelism: 2 });
    expect(logical.nodes.find(({ kind }) => kind === 'normalise')).toMatchObject({
      id: 'y.normalise',
      keys: [0],
      output: { changelog: 'retract', uniqueKeys: [[0]] },
    });
    // By the key of the totals, where these are; then to the groups of the other step.
    expect(jobGraph.vertices.map(({ chain }) => chain.map(({ kind }) => kind))).toEqual([
      ['source'],
      ['aggregate', 'normalise'],
      ['aggregate', 'sink'],
    ]);
    const aggregates = jobGraph.vertices.flatMap(({ chain }) => chain.filter(({ kind }) => kind === 'aggregate'));
    expect(aggregates.map((node) => 'retracts' in node && node.retracts)).toEqual([false, true]);
    const appends = await graphsOf(jobOf('  - id: f\n    filter: a > 1\n', step.replace('[n]', '[s]')));
    expect(appends.logical.nodes.map(({ kind }) => kind)).toEqual(['source', 'filter', 'aggregate', 'sink']);
  });

  it('takes back rows of totals in a union, each input for itself', async () => {
    const text = jobOf(totals, totals.replace('id: t', 'id: t2\n    from: in'), '  - id: u\n    union: [t, t2]\n');
    const { logical } = await graphsOf(text);
    expect(logical.nodes.map(({ id }) => id)).toEqual(['in', 't', 't2', 'u.normalise', 'u.normalise1', 'u', 'out']);
    const { stream } = logical.edges.find(({ to }) => to === 'out') ?? {};
    expect(stream).toMatchObject({ changelog: 'retract', uniqueKeys: [] });
  });

  it('wants a key of a sink that appends, and says which', async () => {
    const sink = 'sink: kafka\n    with: {topic: o, format: json}';
    const { problems } = await compileFake(jobOf(totals).replace('sink: print', sink));
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-CHANGELOG']);
    expect(problems[0]?.expected).toContain('key: [s]');
    const keyed = jobOf(totals).replace('sink: print', sink.replace('json}', 'json, key: [s]}'));
    const { jobGraph } = await graphsOf(keyed);
    const node = jobGraph.vertices.at(-1)?.chain.at(-1);
    expect(node).toMatchObject({ kind: 'sink', spec: { changelog: 'upsert', uniqueKey: [0] } });
  });

  it('compares the inputs of a union', async () => {
    const text = jobOf(
      '  - id: p\n    select: {m: a}\n',
      '  - id: q\n    from: in\n    select: {m: b}\n',
      '  - id: u\n    union: [p, q]\n',
    );
    const { problems } = await compileFake(text);
    expect(problems).toMatchObject([{ line: 14, column: 16, code: 'MR-JOB-UNION-SCHEMA' }]);
    expect(problems[0]?.message).toContain('`m long` in one and `m int` in another');
  });
});
