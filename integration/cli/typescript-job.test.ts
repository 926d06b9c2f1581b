/** Jobs that are modules, in processes and slot threads of their own: what Jest's own modules cannot show. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { jsonLines, runMillrace } from './run-millrace.ts';

const FILE = `{ path: 'rows.jsonl', format: 'json' }`;
const ROWS = `.source('rows', { connector: 'file', with: ${FILE}, schema: { id: long } })`;

const JOB = `import { job, long, string } from 'millrace';
import { shown } from './shown.ts';

interface Limits { readonly least: number }

export default (env: { get(name: string, otherwise?: string): string }) => {
  const limits: Limits = { least: Number(env.get('LEAST', '0')) };
  return job('lambdas', { parallelism: 2 })
    ${ROWS}
    .filter('some', ({ id }) => id !== null && id >= limits.least)
    .map('told', ({ id }) => ({ text: shown(id) }), { text: string })
    .keyBy('text')
    .aggregate('n', { n: 'COUNT(*)' })
    .sink('out', { connector: 'print' });
};
`;

describe('millrace run job.ts', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-modules-'));
    writeFileSync(join(folder, 'rows.jsonl'), Array.from({ length: 40 }, (_, id) => `{"id":${id}}\n`).join(''));
    const shown = 'export const shown = (id: number | null): string => `n${(id ?? 0) % 4}`;\n';
    writeFileSync(join(folder, 'shown.ts'), shown);
    writeFileSync(join(folder, 'job.ts'), JOB);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('runs its code in slots, with the variables that it was given', async () => {
    const args = ['run', '-q', 'job.ts', '--set', 'LEAST=20'];
    const { exitCode, output, errors } = await runMillrace(args, { folder });
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    const rows = [0, 1, 2, 3].flatMap((k) => [1, 2, 3, 4, 5].map((n) => ({ text: `n${k}`, n })));
    expect(new Set(jsonLines(output).map((row) => JSON.stringify(row)))).toEqual(
      new Set(rows.map((row) => JSON.stringify(row))),
    );
  });

  it('refuses a module that makes another job in each thread', async () => {
    const random = JOB.replace("'some'", '`some-${process.hrtime.bigint()}`');
    writeFileSync(join(folder, 'random.ts'), random);
    const { exitCode, errors } = await runMillrace(['run', '-q', 'random.ts'], { folder });
    expect(exitCode).toBe(1);
    expect(errors).toContain('error MR-API-DIFFERENT-JOB: ');
  });

  it.each([
    ['const x: = 3;', 'mistake.ts makes no job: mistake.ts:1: SyntaxError: '],
    ['\n  throw new TypeError("boo");', 'mistake.ts makes no job: mistake.ts:2:9: TypeError: boo\n'],
    ['import "./gone.ts";', 'mistake.ts makes no job: Cannot find module '],
    ['export const job = 3;', 'its export `default` is not there, not a job'],
  ])('says what is wrong with a module: %s', async (source, message) => {
    writeFileSync(join(folder, 'mistake.ts'), source);
    const { exitCode, errors } = await runMillrace(['lint', 'mistake.ts'], { folder });
    expect(exitCode).toBe(2);
    expect(errors).toContain(message);
    expect(errors).not.toMatch(/\n\s+at /);
  });

  it('points at the mistake in the module', async () => {
    writeFileSync(join(folder, 'wrong.ts'), JOB.replace("'COUNT(*)'", "'COUNT(txet)'"));
    const { exitCode, output } = await runMillrace(['lint', 'wrong.ts'], { folder });
    const line = JOB.split('\n').findIndex((text) => text.includes('COUNT(*)')) + 1;
    const column = (JOB.split('\n')[line - 1] ?? '').indexOf('*') + 1;
    expect(exitCode).toBe(2);
    expect(output).toMatch(new RegExp(`^wrong\\.ts:${line}:${column}: error MR-[A-Z-]+: .*txet`));
  });
});

describe('examples/typescript', () => {
  it('runs', async () => {
    const args = ['run', '-q', 'examples/typescript/card-rules.ts', '--set', 'COUNT=3000'];
    const { exitCode, output, errors } = await runMillrace(args);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    const alerts = jsonLines(output) as { readonly text: string }[];
    expect(alerts.length).toBeGreaterThan(0);
    for (const { text } of alerts) expect(text).toMatch(/^card 4000-\d: 0\.\d\d, then 1\d\d\.\d\d$/);
  });
});
