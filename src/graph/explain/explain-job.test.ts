import { describe, expect, it } from '@jest/globals';
import { compileFake, graphsOf, jobOf, timedJobOf } from '../fixtures/compile-fake.ts';
import { fakeCatalog } from '../fixtures/fake-catalog.ts';
import { explainJob, explainJobAsText } from './explain-job.ts';

const TOTALS = `
name: totals
parallelism: 2
steps:
  - id: orders
    source: kafka
    with: {topic: orders, format: json, password: "\${SECRET}"}
    schema: {orderId: string, region: string, amount: "decimal(10,2)"}
    metadata: {part: partition}
    errors: {to: dlq}
  - id: large
    filter: amount > 100 AND region IS NOT NULL
  - id: even
    filter: part % 2 = 0
  - id: totals
    key: [region]
    aggregate:
      total: SUM(amount) FILTER (WHERE amount < 1000)
      n: COUNT(*)
  - id: out
    sink: kafka
    with: {topic: totals, format: json, key: [region]}
`;

describe('explain', () => {
  it('shows chains, what moved into the source, exchanges and changelogs', async () => {
    const { jobGraph } = await graphsOf(TOTALS);
    const [first, second] = jobGraph.vertices;
    expect(explainJobAsText(jobGraph, fakeCatalog)).toBe(
      `job totals, 128 key groups

[1] orders -> large -> even -> totals.project
    parallelism 2, id ${first?.id ?? ''}
  source orders
      connector kafka (brokers=["localhost:9092"], topic=orders, password=***, start=latest, end=never, poll=500ms, \
fetch=1048576B, batch=100)
      format json (timestamps=iso-8601)
      reads 3 of 4 fields
      metadata: part from partition
      filter large, while decoding: (amount > 100.00) AND (region IS NOT NULL)
      errors: to dlq
      append: region string, amount decimal(10,2), part int
  filter even
      (part % 2) = 0
  select totals.project
      region
      amount
      append: region string, amount decimal(10,2)
  -> [2] hash(region)
      append: region string, amount decimal(10,2)

[2] totals -> out
    parallelism 2, id ${second?.id ?? ''}
  <- [1] hash(region)
  aggregate totals
      key region
      total = SUM(amount) FILTER (WHERE amount < 1000.00)
      n = COUNT(*)
      upsert: region string, total decimal(38,2), n long
  sink out
      connector kafka (brokers=["localhost:9092"], topic=totals, key=["region"], delivery=at-least-once)
      format json (timestamps=iso-8601)
      takes upsert, unique by region
`,
    );
  });

  it('gives programs the same as data', async () => {
    const { jobGraph } = await graphsOf(TOTALS);
    const explanation = explainJob(jobGraph, fakeCatalog);
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    expect(explanation.vertices.map(({ number, steps }) => [number, steps.map(({ kind }) => kind)])).toEqual([
      [1, ['source', 'filter', 'select']],
      [2, ['aggregate', 'sink']],
    ]);
    expect(explanation.vertices[1]?.inputs).toEqual([
      {
        vertex: 1,
        exchange: 'hash(region)',
        side: null,
        changelog: 'append',
        uniqueKeys: [],
        fields: ['region string', 'amount decimal(10,2)'],
      },
    ]);
  });

  it('hides secrets, and options of connectors that it does not know', async () => {
    const { jobGraph } = await graphsOf(TOTALS);
    expect(JSON.stringify(explainJob(jobGraph, fakeCatalog))).not.toContain('hunter2');
    const nothingKnown = { sources: new Map(), sinks: new Map(), formats: new Map() };
    const text = explainJobAsText(jobGraph, nothingKnown);
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('localhost');
  });

  it('says what one total of all rows is', async () => {
    const { jobGraph } = await graphsOf(
      jobOf('  - id: t\n    aggregate: {n: COUNT(*)}\n', '  - id: s\n    select: {n: n}\n    parallelism: 2\n'),
    );
    const text = explainJobAsText(jobGraph, fakeCatalog);
    expect(text).toContain('one total of all rows');
    expect(text).toContain('-> [2] hash()\n      upsert, one row: n long');
  });

  it('shows event time, and what a failure costs', async () => {
    const watermark = 'metadata: {at: timestamp}\n    watermark: {field: at, delay: 5s, idle: 1m}';
    const text = `checkpoint: 10s\n${jobOf().replace('metadata: {part: partition}', watermark)}`;
    const lines = explainJobAsText((await graphsOf(text)).jobGraph, fakeCatalog).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'job test, 128 key groups',
      'checkpoint exactly-once every 10000ms, aligned for up to 30000ms, timeout 600000ms, pause 0ms, tolerates 0, ' +
        'keeps 2',
      'restart exponential-delay (initialMs=1000, maxMs=60000, multiplier=2, jitter=0.1, resetMs=600000)',
    ]);
    expect(lines).toContain('      event time: at, delay 5000ms, idle after 60000ms');
  });

  it('shows where checkpoints are, and nothing that is secret', async () => {
    const s3 = 's3: {region: north, accessKeyId: me, secretAccessKey: hush-hush, sessionToken: hush-too}';
    const text = `checkpoint: {interval: 10s, storage: "s3://bucket/jobs", ${s3}}\n${jobOf()}`;
    const { jobGraph } = await graphsOf(text);
    const { checkpoint } = explainJob(jobGraph, fakeCatalog);
    expect(checkpoint?.storage).toMatchObject({ location: 's3://bucket/jobs', s3: { region: 'north' } });
    const shown = explainJobAsText(jobGraph, fakeCatalog);
    expect(shown).toContain('keeps 2, in s3://bucket/jobs');
    expect(shown + JSON.stringify(checkpoint)).not.toContain('hush');
  });

  it('shows steps with state', async () => {
    const text = timedJobOf(
      '  - id: d\n    dedupe: {key: [a, s], keep: first, ttl: 1h}\n',
      '  - id: w\n    key: [s]\n    window: {hop: {size: 1m, slide: 10s, offset: 2s}, lateness: 5s, early: 1s}\n' +
        '    aggregate: {n: ARRAY_AGG(a), until: WINDOW_END}\n',
      '  - id: c\n    from: d\n    key: [s]\n    window: {session: 1m}\n    aggregate: {m: COUNT(*)}\n',
      '  - id: j\n    from: [d, c]\n    join: {type: left, on: d.s = c.s AND m > 1, within: {before: 1m}}\n',
      '  - id: t\n    topN: {key: [ok], by: [m desc, a], n: 3, rank: place}\n',
      '  - id: side\n    from: w\n    sink: print\n',
      '  - id: back\n    from: t\n    select: {ok: ok, place: place}\n',
    );
    const { jobGraph } = await graphsOf(text);
    const steps = explainJob(jobGraph, fakeCatalog).vertices.flatMap((vertex) => vertex.steps);
    const shown = steps.map(({ step, kind, details, changelog }) => [step, kind, changelog, ...details]);
    const forgets = 'forgets keys after 3600000ms';
    expect(shown).toContainEqual(['d', 'dedupe', 'append', 'key a, s', 'keeps the first', forgets]);
    expect(shown).toContainEqual([
      'w',
      'aggregate',
      'upsert',
      'key s',
      'window hop 60000ms every 10000ms, offset 2000ms, lateness 5000ms, early every 1000ms',
      'n = ARRAY_AGG(a)',
      'until = WINDOW_END',
    ]);
    expect(shown).toContainEqual(['c', 'aggregate', 'append', 'key s', 'window session, gap 60000ms', 'm = COUNT(*)']);
    const pairs = ['left, on s = s', 'where m > 1', 'within 60000ms before and 0ms after'];
    expect(shown).toContainEqual(['j', 'join', 'append', ...pairs]);
    expect(shown).toContainEqual(['t', 'topN', 'retract', 'key ok', 'the first 3 by m DESC, a', 'rank place']);
    expect(shown.at(-1)?.slice(0, 3)).toEqual(['out', 'sink', 'retract']);
  });

  it('names the steps that stay in memory, joins not among them', async () => {
    const sides = '  - id: l\n    dedupe: {key: [a, s], keep: first}\n  - id: r\n    from: l\n    filter: TRUE\n';
    const join = (id: string, bounds: string): string =>
      `  - id: ${id}\n    from: [l, r]\n    join: {on: l.s = r.s, ${bounds}select: {a: l.a}}\n` +
      `  - id: of_${id}\n    from: ${id}\n    sink: print\n`;
    const joins = [
      ['regular', ''],
      ['forgetful', 'type: anti, ttl: 1h, '],
      ['interval', 'within: 1m, '],
      ['windowed', 'window: {tumble: 1m}, '],
      ['temporal', 'temporal: true, '],
    ] as const;
    const rest =
      '  - id: visits\n    from: l\n    key: s\n    window: {session: 1m}\n    aggregate: {m: COUNT(*)}\n' +
      '  - id: of_visits\n    from: visits\n    sink: print\n  - id: rest\n    from: l\n    filter: TRUE\n';
    const text = timedJobOf(sides, ...joins.map(([id, bounds]) => join(id, bounds)), rest);
    const { jobGraph } = await graphsOf(`state: {backend: disk}\n${text}`);
    expect(explainJob(jobGraph, fakeCatalog).state?.inMemory).toEqual(['visits']);
  });

  it('is of valid jobs only', async () => {
    expect((await compileFake('name: x')).jobGraph).toBeNull();
  });
});
