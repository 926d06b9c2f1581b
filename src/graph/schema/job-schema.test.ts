import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { parse } from 'yaml';
import { graphsOf, jobOf, timedJobOf } from '../fixtures/compile-fake.ts';
import { fakeCatalog, isForFakeCatalog } from '../fixtures/fake-catalog.ts';
import { randomJob } from '../fixtures/random-job.ts';
import { jobSchema } from './job-schema.ts';

const validate = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false }).compile(
  jobSchema(fakeCatalog),
);

const numbers = fc.array(fc.nat(1000), { minLength: 30, maxLength: 80 });
const jobs = (failing: boolean): fc.Arbitrary<string> =>
  fc.tuple(numbers, fc.integer({ min: 0, max: 6 })).map(([choices, steps]) => randomJob(choices, steps, { failing }));

const windowed = (window: string): string => `  - id: t\n    window: ${window}\n    aggregate: {n: COUNT(*)}\n`;

const joining = (join: string): string =>
  `  - id: p\n    select: {s: s}\n  - id: q\n    from: in\n    select: {s: s}\n` +
  `  - id: j\n    from: [p, q]\n    join: {${join}}\n`;

const coded = (settings: string): string =>
  `  - id: p\n    process: ./f.ts#F\n    schema: {x: int}\n    ${settings}\n`;

function isValid(text: string): boolean {
  return validate(parse(text));
}

const folder = fileURLToPath(new URL('../../../examples', import.meta.url));
const examples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
  .filter(({ text }) => isForFakeCatalog(text));

describe('the JSON Schema of job files', () => {
  it('finds the examples', () => {
    expect(examples.length).toBeGreaterThan(0);
  });

  it.each(examples)('accepts examples/$name', ({ text }) => {
    const accepted = isValid(text);
    expect(validate.errors ?? []).toEqual([]);
    expect(accepted).toBe(true);
  });

  it.each([
    [
      'every verb',
      jobOf(
        '  - id: r\n    split: {p: a > 1, else: q}\n',
        '  - id: u\n    union: [p, q]\n',
        '  - id: u2\n    from: [u, in]\n    union: true\n',
        '  - id: m\n    flatMap: {x: xs}\n    parallelism: 2\n',
        '  - id: t\n    key: s\n    aggregate: {n: COUNT(*)}\n',
      ),
    ],
    ['checkpoints', `checkpoint: {interval: 1s, retained: "3"}\nrestart: fixed-delay\n${jobOf()}`],
    ['checkpoints in S3', `checkpoint: {interval: 1s, storage: "s3://b/p", s3: {pathStyle: true}}\n${jobOf()}`],
    ['no checkpoints', `checkpoint: none\n${jobOf()}`],
    ['short checkpoints', `checkpoint: 1s\nrestart: {strategy: failure-rate, failures: 2}\n${jobOf()}`],
    ['event time', jobOf().replace('    metadata', '    watermark: {field: at, delay: 5s}\n    metadata')],
    ['windows', timedJobOf(windowed('{tumble: 1m, lateness: 10s, early: 5s}'))],
    ['late rows', timedJobOf(windowed('{tumble: 1m, late: x}'))],
    ['hops', timedJobOf(windowed('{hop: {size: 1m, slide: 10s}}'))],
    ['growing windows', timedJobOf(windowed('{cumulate: {step: 1m, max: 1h, offset: 5m}}'))],
    ['sessions', timedJobOf(windowed('{session: {gap: 5m}}'))],
    ['counts', jobOf(windowed('{count: 100}'))],
    ['joins', timedJobOf(joining('on: p.s = q.s, type: left, within: {before: 1m}, select: {s: p.s}'))],
    ['joins in windows', timedJobOf(joining('on: p.s = q.s, window: {tumble: 1m}'))],
    ['joins with versions', timedJobOf(joining('on: p.s = q.s, temporal: true'))],
    ['joins of all rows', jobOf(joining('on: p.s = q.s, ttl: 1d'))],
    ['dedupes', jobOf('  - id: d\n    dedupe: {key: s, keep: last, ttl: 1h}\n')],
    ['top-ns', jobOf('  - id: t\n    topN: {key: [s], by: [a desc, b], n: 3, rank: r}\n')],
    ['code', jobOf(coded('key: [s]\n    longs: bigint\n    sides: {q: {x: int}}'))],
    ['a short top-n', jobOf('  - id: t\n    topN: {by: a desc, n: 3}\n')],
    ['short event time', jobOf().replace('    metadata', '    watermark: at\n    metadata')],
    ['slots as they come', `checkpoint: 1s\nrescale: {mode: reactive, max: 8, wait: 2s}\n${jobOf()}`],
    ['settings of the job', `restart: none\nparallelism: \${P:-2}\nmaxParallelism: "256"\n${jobOf()}`],
    [
      'options as text',
      jobOf().replace('format: json', 'format: json, batch: "10", poll: 2s, fetch: 64KiB, end: latest'),
    ],
    ['a variable for a format', jobOf().replace('format: json', 'format: "${F}"')],
    ['errors', jobOf().replace('    metadata', '    errors: {to: dlq}\n    metadata')],
  ])('accepts %s', (_what, text) => {
    isValid(text);
    expect(validate.errors ?? []).toEqual([]);
  });

  it.each([
    ['no name', jobOf().replace('name: test\n', '')],
    ['no steps', 'name: x\n'],
    ['an unknown key', `nmae: x\n${jobOf()}`],
    ['an unknown key of a step', jobOf('  - id: f\n    filter: ok\n    form: in\n')],
    ['no verb', jobOf('  - id: f\n')],
    ['two verbs', jobOf('  - id: f\n    filter: ok\n    select: {a: a}\n')],
    ['no id', jobOf('  - filter: ok\n')],
    ['a bad id', jobOf('  - id: a b\n    filter: ok\n')],
    ['code without fields', jobOf('  - id: p\n    process: ./f.ts#F\n')],
    ['code without an export', jobOf(coded('key: s').replace('#F', ''))],
    ['wrong longs', jobOf(coded('longs: text'))],
    ['a side without fields', jobOf(coded('sides: {q: {}}'))],
    ['an unsupported verb', jobOf('  - id: f\n    predict: m\n')],
    ['a top-n without an order', jobOf('  - id: f\n    topN: {n: 1}\n')],
    ['a dedupe without a key', jobOf('  - id: f\n    dedupe: {keep: last}\n')],
    ['a join of one step', jobOf(joining('on: p.s = q.s').replace('[p, q]', '[p]'))],
    ['a join without a condition', jobOf(joining('type: left'))],
    ['a join within nothing', jobOf(joining('on: p.s = q.s, within: {}'))],
    ['a join in sessions', jobOf(joining('on: p.s = q.s, window: {session: 1m}'))],
    ['a window of two kinds', jobOf(windowed('{tumble: 1m, session: 1m}'))],
    ['a window of no kind', jobOf(windowed('{lateness: 1m}'))],
    ['half a hop', jobOf(windowed('{hop: {size: 1m}}'))],
    ['a short hop', jobOf(windowed('{hop: 1m}'))],
    ['an unknown setting of S3', `checkpoint: {interval: 1s, s3: {host: there}}\n${jobOf()}`],
    ['checkpoints without an interval', `checkpoint: {mode: exactly-once}\n${jobOf()}`],
    ['settings of another strategy', `restart: {strategy: none, attempts: 2}\n${jobOf()}`],
    ['a watermark without a field', jobOf().replace('    metadata', '    watermark: {delay: 5s}\n    metadata')],
    ['an unknown connector', jobOf().replace('source: kafka', 'source: kafak')],
    ['an unknown format', jobOf().replace('format: json', 'format: jsn')],
    [
      'a format that only reads, for a sink',
      jobOf().replace('sink: print', 'sink: kafka\n    with: {topic: t, format: syslog}'),
    ],
    ['an unknown option', jobOf().replace('topic: t', 'topic: t, topc: x')],
    ['an option of another format', jobOf().replace('topic: t', 'topic: t, delimiter: x')],
    ['a missing option', jobOf().replace('topic: t, ', '')],
    ['a missing with', jobOf().replace('    with: {topic: t, format: json}\n', '')],
    ['an option out of range', jobOf().replace('topic: t', 'topic: t, batch: 5000')],
    ['an option of the wrong kind', jobOf().replace('topic: t', 'topic: t, poll: soon')],
    ['a value that an enum lacks', jobOf().replace('topic: t', 'topic: t, start: yesterday')],
    ['unknown metadata', jobOf().replace('part: partition', 'part: partitoin')],
    ['a union of one', jobOf('  - id: u\n    union: [in]\n')],
    ['a list for fields', jobOf('  - id: s\n    select: [a]\n')],
  ])('refuses %s', (_what, text) => {
    expect(isValid(text)).toBe(false);
  });

  it('accepts every job that compiles', async () => {
    await fc.assert(
      fc.asyncProperty(jobs(true), async (text) => {
        await graphsOf(text);
        isValid(text);
        expect(validate.errors ?? []).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
