import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import type { S3Services } from '../../scripts/services/index.ts';
import { runMillrace, startMillrace, type Ended } from '../cli/run-millrace.ts';
import { getS3, uniqueName } from '../environment/index.ts';

jest.setTimeout(180_000);

/** Remembers every row. */
const JOB = `name: once
restart: none
parallelism: 2
checkpoint:
  interval: 200ms
  storage: \${STORAGE}
  s3:
    endpoint: \${ENDPOINT}
    accessKeyId: \${ACCESS_KEY}
    secretAccessKey: \${SECRET_KEY}
steps:
  - id: rows
    source: datagen
    with:
      rate: 4000
      count: \${COUNT}
      fields:
        id: {kind: sequence, start: 0}
    schema: {id: long}
  - id: once
    dedupe: {key: [id], keep: first}
  - id: out
    sink: file
    with: {path: "\${OUT}", format: json, delivery: exactly-once}
`;

const ENDLESS = 1_000_000_000;
const MORE_ROWS = 4000;

let folder: string;
let s3: S3Services;
let storage: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-s3-'));
  s3 = await getS3();
  storage = `s3://${s3.bucket}/${uniqueName('jobs')}`;
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function settings(count: number, out: string): readonly string[] {
  const values = {
    COUNT: count,
    OUT: join(folder, out),
    STORAGE: storage,
    ENDPOINT: s3.endpoint,
    ACCESS_KEY: s3.accessKeyId,
    SECRET_KEY: s3.secretAccessKey,
  };
  return Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
}

/** What the sink has made visible in these folders. */
function idsIn(...folders: readonly string[]): number[] {
  const files = folders.flatMap((each) => globSync(join(folder, each, 'part-*')));
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n')).filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { readonly id: number }).id).sort((one, other) => one - other);
}

const allUpTo = (count: number): number[] => Array.from({ length: count }, (_, id) => id);

function expectNoSecret(...ended: readonly Ended[]): void {
  for (const { output, errors } of ended) expect(output + errors).not.toContain(s3.secretAccessKey);
}

describe('a job whose checkpoints are in S3', () => {
  it('goes on from them when it was killed, and from a savepoint there when it has nothing else', async () => {
    const run = (environment: Readonly<Record<string, string>> = {}) =>
      startMillrace(['run', '-', ...settings(ENDLESS, 'out')], { folder, input: JOB, environment });
    const killed = await run({ MILLRACE_CRASH_POINT: 'pointer-moved:3' }).ended;
    expect(killed.exitCode).toBe(137);
    const again = await run({ MILLRACE_CRASH_POINT: 'state-written:5' }).ended;
    expect(again.exitCode).toBe(137);
    expect(again.errors).toMatch(/resuming checkpoint 3,/);

    const last = run();
    await last.saying(/resuming checkpoint \d+,/);
    const stopped = await runMillrace(['stop', 'once', '--savepoint', `${storage}/kept`], { folder });
    expect(stopped).toMatchObject({ exitCode: 0, errors: '' });
    const savepoint = stopped.output.trim();
    expect(savepoint.startsWith(`${storage}/kept/savepoint-once-`)).toBe(true);
    expect((await last.ended).exitCode).toBe(0);
    const before = idsIn('out').length;
    expect(before).toBeGreaterThan(0);

    rmSync(join(folder, '.millrace'), { recursive: true });
    const count = before + MORE_ROWS;
    const from = ['-', '--from', savepoint, ...settings(count, 'more')];
    const plan = await runMillrace(['plan', ...from], { folder, input: JOB });
    expect(plan).toMatchObject({ exitCode: 0, errors: '' });
    expect(plan.output).toMatch(/\nonce +kept/);
    const more = await runMillrace(['run', ...from], { folder, input: JOB });
    expect(more).toMatchObject({ exitCode: 0 });
    expect(idsIn('out', 'more')).toEqual(allUpTo(count));

    expectNoSecret(killed, again, await last.ended, stopped, plan, more);
  });

  it('is refused where they cannot be', async () => {
    storage = 's3://no-such-bucket/jobs';
    const refused = await runMillrace(['run', '-', ...settings(1, 'out')], { folder, input: JOB });
    expect(refused.exitCode).toBe(2);
    expect(refused.errors).toContain('MR-STATE-NO-BUCKET');
    expectNoSecret(refused);
  });
});
