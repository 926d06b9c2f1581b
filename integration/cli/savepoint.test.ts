import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { runMillrace, startMillrace, type Ended } from './run-millrace.ts';

jest.setTimeout(240_000);

/** More than the job can ever read in a test. */
const ENDLESS = 1_000_000_000;
/** Rows that a later run reads at least: some seconds' worth, which no subtask is ahead of another. */
const MORE_ROWS = 20_000;
const KEYS = 7;

/** Prints every change of a count per key: whatever is lost or repeated shows as a count that is missing or twice. */
const job = (totals = 'totals', more = ''): string => `name: totals
parallelism: \${PARALLELISM}
checkpoint: {interval: 300ms}
steps:
  - id: rows
    source: datagen
    with:
      rate: 5000
      count: \${COUNT}
      fields:
        n: {kind: sequence, start: 0}
    schema: {n: long}
  - id: keyed
    select: {k: n % ${KEYS}, n: n}
  - id: ${totals}
    key: k
    aggregate: {seen: COUNT(*), total: SUM(n)${more}}
  - id: out
    sink: print
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'savepoints-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const settings = (parallelism: number, count: number): string[] => [
  ...['--set', `PARALLELISM=${parallelism}`],
  ...['--set', `COUNT=${count}`],
];

const startEndless = () => startMillrace(['run', '-', ...settings(2, ENDLESS)], { folder, input: job() });

interface Change {
  readonly k: number;
  readonly seen: number;
  readonly total: number;
}

const changesOf = (...runs: readonly Ended[]): Change[] =>
  runs.flatMap(({ output }) =>
    output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Change] : [])),
  );

/** Every row was counted once, each change came out once, and the totals are right. */
function expectWhole(changes: readonly Change[], rows: number): void {
  const perKey = Map.groupBy(changes, ({ k }) => k);
  for (let k = 0; k < KEYS; k++) {
    const numbers = Array.from({ length: Math.ceil((rows - k) / KEYS) }, (_, i) => k + i * KEYS);
    const found = (perKey.get(k) ?? []).toSorted((a, b) => a.seen - b.seen);
    expect(found.map(({ seen }) => seen)).toEqual(numbers.map((_, i) => i + 1));
    expect(found.at(-1)?.total).toBe(numbers.reduce((sum, n) => sum + n, 0));
  }
  expect(changes).toHaveLength(rows);
}

describe('a savepoint', () => {
  it('with which a job is stopped holds all that came out, and starts it again at another parallelism', async () => {
    const running = startEndless();
    await running.saying(/"seen":20,/);
    const target = join(folder, 'kept');
    const stopped = await runMillrace(['stop', 'totals', '--savepoint', target], { folder });
    expect(stopped).toMatchObject({ exitCode: 0, errors: '' });
    const path = stopped.output.trim();
    expect(path.startsWith(join(target, 'savepoint-totals-'))).toBe(true);
    const first = await running.ended;
    expect(first.exitCode).toBe(0);
    // It needs nothing of the job's own folder.
    await rm(join(folder, '.millrace'), { recursive: true });

    const rows = changesOf(first).length + MORE_ROWS;

    const changed = { folder, input: job('totals', ', most: MAX(n)') };
    const plan = await runMillrace(['plan', '-', '--from', path, ...settings(3, rows)], changed);
    expect(plan.output).toMatch(/\ntotals +migrated +most is new; 2 → 3 subtasks: \d+ of 7 key groups move\n/);
    expect(plan).toMatchObject({ exitCode: 0, errors: '' });

    const second = await runMillrace(['run', '-', '--from', path, ...settings(3, rows)], { folder, input: job() });
    expect(second).toMatchObject({ exitCode: 0 });
    expect(second.errors).toContain('resuming savepoint');
    expectWhole(changesOf(first, second), rows);
    const third = await runMillrace(['run', '-', '--from', path, ...settings(1, rows)], { folder, input: job() });
    expectWhole(changesOf(first, third), rows);
  });

  it('of a running job disturbs nothing, and its state goes only where that is allowed', async () => {
    const running = startEndless();
    await running.saying(/"seen":5,/);
    const made = await runMillrace(['savepoint', 'totals', '--json'], { folder });
    expect(made).toMatchObject({ exitCode: 0, errors: '' });
    const { path } = JSON.parse(made.output) as { readonly path: string };
    const again = await runMillrace(['savepoint', 'totals'], { folder });
    expect(again.output.trim()).not.toBe(path);
    const stopped = await runMillrace(['stop', 'totals', '--json'], { folder });
    expect(JSON.parse(stopped.output)).toEqual({ job: 'totals', state: 'CANCELED', path: null });
    const first = await running.ended;
    expect(first.exitCode).toBe(0);
    const rows = changesOf(first).length + MORE_ROWS;
    expect(await readdir(join(folder, '.millrace', 'totals'))).not.toContain('control');

    const changed = { folder, input: job('sums') };
    const plan = await runMillrace(['plan', '-', '--from', path, '--json', ...settings(2, rows)], changed);
    expect(plan.exitCode).toBe(1);
    expect(JSON.parse(plan.output)).toMatchObject({
      checkpoint: { kind: 'savepoint', job: 'totals' },
      canStart: false,
      error: { code: 'MR-JOB-STATE-DROPPED' },
    });
    const refused = await runMillrace(['run', '-', '--from', path, ...settings(2, rows)], changed);
    expect(refused.exitCode).toBe(1);
    expect(refused.errors).toContain('MR-JOB-STATE-DROPPED');
    const dropping = ['run', '-', '--from', path, '--allow-dropped-state', ...settings(2, rows)];
    const allowed = await runMillrace(dropping, changed);
    expect(allowed.exitCode).toBe(0);
    expect(allowed.errors).toContain('dropped the state of totals');
    // Counted from one again, behind what the savepoint had read.
    const counts = changesOf(allowed);
    expect(Math.min(...counts.map(({ seen }) => seen))).toBe(1);
    expect(counts.length).toBeLessThan(rows);
  });

  it('of a job that does not run is refused', async () => {
    const { exitCode, errors } = await runMillrace(['savepoint', 'totals'], { folder });
    expect(exitCode).toBe(1);
    expect(errors).toContain('error MR-CLI-NOT-RUNNING: job totals does not run');
  });
});
