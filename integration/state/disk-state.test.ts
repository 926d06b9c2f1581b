import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';

import { runMillrace } from '../cli/run-millrace.ts';

jest.setTimeout(180_000);

const KEYS = 60_000;

/** `steps` that are remembered as the run says, and what they give in a file. */
function jobOf(name: string, steps: string): string {
  return `name: ${name}
restart: none
checkpoint: 200ms
state:
  backend: \${BACKEND}
  memory: \${MEMORY}
steps:
${steps}
  - id: out
    sink: file
    with: {path: out, format: json, delivery: exactly-once}
`;
}

/** Remembers every key; each comes twice. */
const JOB = jobOf(
  'once',
  `
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
    dedupe: {key: [key], keep: first}`,
);

const JOINED_KEYS = 30_000;

/** Keeps every row of both sides, 100 bytes each; a left row meets one that came long before, or after. */
const JOIN = jobOf(
  'pairs',
  `
  - id: l
    source: datagen
    with:
      rate: 20000
      count: ${2 * JOINED_KEYS}
      fields:
        id: {kind: sequence, start: 0}
        text: {kind: constant, value: ${'l'.repeat(100)}}
    schema: {id: long, text: string}
  - id: keyed
    select: {id: id, key: id % ${JOINED_KEYS}, text: text}
  - id: r
    source: datagen
    with:
      rate: 10000
      count: ${JOINED_KEYS}
      fields:
        key: {kind: sequence, start: 0}
        text: {kind: constant, value: ${'r'.repeat(100)}}
    schema: {key: long, text: string}
  - id: pairs
    from: [keyed, r]
    join:
      on: keyed.key = r.key
      select: {id: keyed.id, key: r.key, text: "CONCAT(keyed.text, r.text)"}`,
);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function runOf(job: string) {
  return (backend: string, memory: string, environment: Readonly<Record<string, string>> = {}) => {
    const settings = ['--set', `BACKEND=${backend}`, '--set', `MEMORY=${memory}`];
    return runMillrace(['run', '-', ...settings], { folder, input: job, environment });
  };
}

function writtenRows(): readonly Readonly<Record<string, unknown>>[] {
  const lines = globSync(join(folder, 'out', 'part-*')).flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

function sortedNumbers(field: string): readonly number[] {
  return writtenRows()
    .map((row) => row[field] as number)
    .sort((one, other) => one - other);
}

it('goes on from disk where its memory was too small, is killed, and goes on from memory', async () => {
  const run = runOf(JOB);
  const first = await run('memory', '64MiB', { MILLRACE_CRASH_POINT: 'pointer-moved:1' });
  expect(first.exitCode).toBe(137);
  const small = await run('memory', '1MiB');
  expect(small.errors).toContain('error MR-STATE-OUT-OF-MEMORY: no memory for state: step once takes');
  expect(small.exitCode).toBe(1);
  const killed = await run('disk', '4MiB', { MILLRACE_CRASH_POINT: 'state-written:4' });
  expect(killed.exitCode).toBe(137);
  expect(killed.errors).toMatch(/resuming checkpoint \d+,/);
  const again = await run('disk', '4MiB', { MILLRACE_CRASH_POINT: 'pointer-moved:2' });
  expect(again.exitCode).toBe(137);
  const last = await run('memory', '64MiB');
  expect(last.exitCode).toBe(0);
  expect(sortedNumbers('key')).toEqual(Array.from({ length: KEYS }, (_, key) => key));
});

it('joins keys that do not fit memory, killed in between, and gives each pair once', async () => {
  const run = runOf(JOIN);
  const killed = await run('disk', '8MiB', { MILLRACE_CRASH_POINT: 'pointer-moved:2' });
  expect(killed.exitCode).toBe(137);
  const small = await run('memory', '8MiB');
  expect(small.errors).toContain('error MR-STATE-OUT-OF-MEMORY: no memory for state: step pairs takes');
  const last = await run('disk', '8MiB');
  expect(last.errors).toMatch(/resuming checkpoint \d+,/);
  expect(last.exitCode).toBe(0);
  expect(sortedNumbers('id')).toEqual(Array.from({ length: 2 * JOINED_KEYS }, (_, id) => id));
  const text = `${'l'.repeat(100)}${'r'.repeat(100)}`;
  const isWrong = (row: Readonly<Record<string, unknown>>): boolean =>
    row['text'] !== text || row['key'] !== (row['id'] as number) % JOINED_KEYS;
  expect(writtenRows().filter(isWrong)).toEqual([]);
});
