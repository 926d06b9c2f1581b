import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileJobOrThrow, lintJob } from './compile-job.ts';
import { compileFake, graphsOf, jobOf } from './fixtures/compile-fake.ts';
import { JOB_WITH_STATE, STATELESS_JOB } from './fixtures/every-verb.ts';
import { fakeCatalog, isForFakeCatalog } from './fixtures/fake-catalog.ts';
import { formatProblem } from './spec/problem.ts';

const folder = fileURLToPath(new URL('../../examples', import.meta.url));
const examples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
  .filter(({ text }) => isForFakeCatalog(text));

const seeds = [
  ...examples.map(({ text }) => text),
  STATELESS_JOB,
  JOB_WITH_STATE,
  `restart: none\nmaxParallelism: 64\nparallelism: 3\n${STATELESS_JOB}`,
];

describe('compileJob', () => {
  it('compiles the examples', async () => {
    for (const text of seeds) await graphsOf(text);
  });

  it("lets the command line's parallelism go before the file's, and a step's own before both", async () => {
    const text = `parallelism: 3\n${jobOf('  - id: f\n    filter: part > 1\n    parallelism: 2\n')}`;
    const parallelisms = async (parallelism: number | null) =>
      (await graphsOf(text, { parallelism })).jobGraph.vertices.map((vertex) => vertex.parallelism);
    expect(await parallelisms(null)).toEqual([3, 2, 3]);
    expect(await parallelisms(5)).toEqual([5, 2, 5]);
    const { problems } = await compileFake(text, { parallelism: 500 });
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-PARALLELISM']);
  });

  it('refuses memory that the steps with state on the disk could not work with', async () => {
    const job = (memory: string) =>
      `state: {backend: disk, memory: ${memory}}\n` +
      jobOf('  - id: d\n    dedupe: {key: [part]}\n  - id: e\n    dedupe: {key: [part]}\n');
    const { problems } = await compileFake(job('7MiB'), {});
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-STATE-MEMORY']);
    expect((await compileFake(job('8MiB'), {})).problems).toEqual([]);
    expect((await compileFake(job('7MiB').replace('disk', 'memory'), {})).problems).toEqual([]);
  });

  it('throws one error with the first problem where it is asked to', async () => {
    const options = { fileName: 'job.yaml', catalog: fakeCatalog, variables: () => undefined };
    await expect(compileJobOrThrow('name: x\n', options)).rejects.toMatchObject({
      code: 'MR-JOB-INVALID',
      message: expect.stringContaining('job.yaml:1:1'),
    });
    expect((await lintJob(jobOf(), options)).map(formatProblem)).toEqual([]);
    expect((await compileJobOrThrow(jobOf(), options)).name).toBe('test');
  });

  it('names all of five mistakes with line and column, whatever they are', async () => {
    const mistakes: readonly (readonly [string, (line: number) => string])[] = [
      ['MR-JOB-UNKNOWN-KEY', (n) => `  - id: m${n}\n    filtr: ok\n`],
      ['MR-JOB-EXPRESSION', (n) => `  - id: m${n}\n    filter: wrong > 1\n`],
      ['MR-JOB-YAML-CUT', (n) => `  - id: m${n}\n    flatMap: {w${n}: SPLIT(s, ' ')}\n`],
      ['MR-JOB-UNKNOWN-STEP', (n) => `  - id: m${n}\n    filter: ok\n    from: nowhere\n`],
      ['MR-JOB-VARIABLE-MISSING', (n) => `  - id: m${n}\n    filter: a > \${NONE}\n`],
      ['MR-JOB-UNSUPPORTED', (n) => `  - id: m${n}\n    predict: m\n    from: in\n`],
      ['MR-JOB-BAD-NAME', (n) => `  - id: m ${n}\n    filter: ok\n`],
      ['MR-JOB-DUPLICATE-KEY', (n) => `  - id: m${n}\n    filter: ok\n    filter: ok\n`],
      ['MR-JOB-BAD-VALUE', (n) => `  - id: m${n}\n    filter: ok\n    parallelism: many\n`],
      ['MR-JOB-YAML-KEY', (n) => `  - id: m${n}\n    flatMap: {${n}: xs}\n`],
    ];
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...mistakes], { minLength: 5, maxLength: 5 }), async (chosen) => {
        const steps = chosen.map(([, step], index) => step(index));
        const { problems } = await compileFake(jobOf(...steps));
        let line = 8;
        chosen.forEach(([code], index) => {
          const end = line + (steps[index]?.split('\n').length ?? 1) - 1;
          const own = problems.filter((problem) => problem.line >= line && problem.line < end);
          // Where nobody can say which rows reach a step, its fields cannot be checked.
          const earlier = chosen.slice(0, index).map(([found]) => found);
          const isUnknown = earlier.includes('MR-JOB-UNKNOWN-STEP') || earlier.includes('MR-JOB-UNSUPPORTED');
          if (code !== 'MR-JOB-EXPRESSION' || !isUnknown) expect(own.map((problem) => problem.code)).toContain(code);
          for (const problem of own) expect(problem.endColumn).toBeGreaterThan(problem.column);
          line = end;
        });
      }),
      { numRuns: 100 },
    );
  });
});

const SIGNS = Array.from(`{}[]():,#&*!|>'"%@\`\t\n\r\0\\- $\ufeff\u2028😀`);

/** One change of a text that a hand, a merge or a bad disk could make. */
const mutation: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(40), fc.string({ maxLength: 6 })).map(([at, length, piece]) => (text: string) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + piece + text.slice(from + length);
  }),
  fc.tuple(fc.nat(), fc.constantFrom(...SIGNS)).map(([at, sign]) => (text: string) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + sign + text.slice(from);
  }),
  fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => (text: string) => {
    const lines = text.split('\n');
    const [line] = lines.splice(a % lines.length, 1);
    if (line !== undefined) lines.splice(b % (lines.length + 1), 0, ...(a % 3 === 0 ? [line, line] : [line]));
    return lines.join('\n');
  }),
  fc.tuple(fc.nat(), fc.nat(8)).map(([at, indent]) => (text: string) => {
    const lines = text.split('\n');
    const index = at % lines.length;
    lines[index] = ' '.repeat(indent) + (lines[index] ?? '').trimStart();
    return lines.join('\n');
  }),
  fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => (text: string) => {
    const tokens = text.split(/(\W+)/);
    tokens[a % tokens.length] = tokens[b % tokens.length] ?? '';
    return tokens.join('');
  }),
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => (text: string) => {
    const bytes = Buffer.from(text);
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes.toString('utf8');
  }),
);

/** Thousands of compilations take their time where other suites use the processors too. */
const TIMEOUT_MS = 180_000;

describe('damaged files', () => {
  it('give problems with places inside the file, or a graph; never a crash', async () => {
    const texts = fc.tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(texts, async ([seed, mutations]) => {
        const text = mutations.reduce((current, mutate) => mutate(current), seed);
        const { problems, jobGraph } = await compileFake(text);
        expect(jobGraph === null).toBe(problems.length > 0);
        const lines = text.split('\n');
        for (const { line, column, endColumn, message } of problems) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
          expect(endColumn).toBeGreaterThanOrEqual(column);
          expect(message).not.toMatch(/undefined|\[object|[\0-\x1f\x7f]/);
        }
      }),
      { numRuns: 1000 },
    );
  }, TIMEOUT_MS);

  it('of random text are no crash either', async () => {
    const texts = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 100 }));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect((await compileFake(text)).problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  }, TIMEOUT_MS);

  it.each([
    ['brackets', '['.repeat(60_000)],
    ['braces', 'a: '.concat('{a: '.repeat(15_000))],
    ['dashes', '- '.repeat(30_000)],
    ['anchors', 'a: '.concat('&a '.repeat(20_000))],
    ['quotes', `a: "${'\\n'.repeat(100_000)}`],
    ['keys', Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['question marks', '? '.repeat(20_000)],
    ['one long expression', jobOf(`  - id: f\n    filter: ${'('.repeat(20_000)}`)],
    ['many steps', jobOf(...Array.from({ length: 900 }, (_, i) => `  - id: f${i}\n    filter: a > ${i}\n`))],
  ])('of hostile size end soon: %s', async (_what, text) => {
    const started = performance.now();
    await compileFake(text);
    expect(performance.now() - started).toBeLessThan(60_000);
  }, TIMEOUT_MS);
});
