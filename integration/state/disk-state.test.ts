import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';

import { runMillrace } from '../cli/run-millrace.ts';

jest.setTimeout(180_000);

const KEYS = 60_000;

/** Remembers every key; each comes twice. */
const JOB = `name: once
restart: none
checkpoint: 200ms
state:
  backend: \${BACKEND}
  memory: \${MEMORY}
steps:
  - id: rows
    source: datagen
    with:
      rate: 30000
      count: ${2 * KEYS}
      fields:
        id: {kind: sequence, start: 0}
    schema: {id: long}
  - id: keyed
    select: {key: id % ${KEYS}}
  - id: once
    dedupe: {key: [key], keep: first}
  - id: out
    sink: file
    with: {path: out, format: json, delivery: exactly-once}
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(backend: string, memory: string, environment: Readonly<Record<string, string>> = {}) {
  const settings = ['--set', `BACKEND=${backend}`, '--set', `MEMORY=${memory}`];
  return runMillrace(['run', '-', ...settings], { folder, input: JOB, environment });
}

it('goes on from disk where its memory was too small, is killed, and goes on from memory', async () => {
  const small = await run('memory', '1MiB');
  expect(small.errors).toContain('error MR-STATE-OUT-OF-MEMORY: no memory for state: step once takes');
  expect(small.exitCode).toBe(1);
  const killed = await run('disk', '4MiB', { MILLRACE_CRASH_POINT: 'state-written:4' });
  expect(killed.exitCode).toBe(137);
  expect(killed.errors).toMatch(/resuming checkpoint \d+,/);
  const again = await run('disk', '4MiB', { MILLRACE_CRASH_POINT: 'pointer-moved:3' });
  expect(again.exitCode).toBe(137);
  const last = await run('memory', '64MiB');
  expect(last.exitCode).toBe(0);
  const lines = globSync(join(folder, 'out', 'part-*')).flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  const keys = lines.filter((line) => line !== '').map((line) => (JSON.parse(line) as { readonly key: number }).key);
  expect(keys.sort((one, other) => one - other)).toEqual(Array.from({ length: KEYS }, (_, key) => key));
});
