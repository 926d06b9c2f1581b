import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { jsonLines, runMillrace } from './run-millrace.ts';

const CODE = `
interface Payment { readonly card: number; readonly amount: number; readonly at: number }
type Row = { card: number; minute: Date; payments: number };
interface Memory {
  get(minute: number): number | undefined;
  set(minute: number, count: number): void;
  delete(minute: number): void;
}
interface Context {
  readonly key: { readonly card: number };
  emit(row: Row): void;
  emitTo(side: string, row: object): void;
  setEventTimer(at: number): void;
}

/** Payments per card and minute, said when the minute is over. */
export class PerMinute {
  #counts!: Memory;
  open(setup: { mapState(name: string): Memory }): void {
    this.#counts = setup.mapState('counts');
  }
  process(row: Payment, context: Context): void {
    const minute: number = Math.floor(row.at / 60_000);
    this.#counts.set(minute, (this.#counts.get(minute) ?? 0) + 1);
    context.setEventTimer((minute + 1) * 60_000);
    if (row.amount % 10 === 0) context.emitTo('round', { card: row.card, amount: row.amount });
  }
  onTimer({ timestamp }: { readonly timestamp: number }, context: Context): void {
    const minute = timestamp / 60_000 - 1;
    const payments = this.#counts.get(minute) ?? 0;
    context.emit({ card: context.key.card, minute: new Date(minute * 60_000), payments });
    this.#counts.delete(minute);
  }
}

export class Nothing {}

export const failing = (row: Payment): void => {
  throw new Error(\`no payment of \${row.amount}\`);
};
`;

/** A slow machine starts a process in some seconds. */
const DEADLINE_MS = 120_000;

const job = (code: string, out: string, rate: string): string => `
name: per-minute
checkpoint: 100ms
steps:
  - id: payments
    source: datagen
    with:
      count: 2000
${rate}      fields:
        card: {kind: sequence, start: 1}
        amount: {kind: sequence, start: 1}
        at: {kind: sequence, start: 1700000000000, step: 500}
    schema: {card: long, amount: int, at: timestamp}
    watermark: {field: at, delay: 1h}
  - id: cards
    select: {card: card % 7, amount: amount, at: at}
  - id: counts
    process: ./code.ts#${code}
    key: [card]
    schema: {card: long, minute: timestamp, payments: long}
    sides:
      round: {card: long, amount: int}
  - id: out
    from: counts
    sink: file
    with: {path: ${out}, format: json, delivery: exactly-once}
  - id: round
    sink: file
    with: {path: ${out}-round, format: json, delivery: exactly-once}
`;

describe('a step in TypeScript', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-process-'));
    writeFileSync(join(folder, 'code.ts'), CODE);
    writeFileSync(join(folder, 'whole.yaml'), job('PerMinute', 'whole', ''));
    // Slow enough for a checkpoint in the middle.
    writeFileSync(join(folder, 'parts.yaml'), job('PerMinute', 'parts', '      rate: 2000\n'));
    for (const code of ['Nothing', 'failing']) writeFileSync(join(folder, `${code}.yaml`), job(code, code, ''));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const run = (name: string, parallelism: number, environment: Readonly<Record<string, string>> = {}) =>
    runMillrace(['run', '-q', `${name}.yaml`, '-p', `${parallelism}`, '--data-dir', `data-${name}`], {
      folder,
      environment,
      deadlineMs: DEADLINE_MS,
    });
  const rowsOf = (out: string): unknown[] => {
    const files = readdirSync(join(folder, out)).filter((file) => file.startsWith('part-'));
    return files.flatMap((file) => jsonLines(readFileSync(join(folder, out, file), 'utf8')));
  };
  const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

  it('gives the same when it is killed and resumed in more subtasks', async () => {
    const kill = { MILLRACE_CRASH_POINT: 'pointer-moved:1' };
    const [undisturbed, killed] = await Promise.all([run('whole', 2), run('parts', 2, kill)]);
    expect(undisturbed).toMatchObject({ exitCode: 0, errors: '' });
    expect(killed.exitCode).toBe(137);
    expect(await run('parts', 3)).toMatchObject({ exitCode: 0, errors: '' });
    const whole = rowsOf('whole') as { payments: number }[];
    expect(whole.reduce((sum, { payments }) => sum + payments, 0)).toBe(2000);
    expect(sorted(rowsOf('parts'))).toEqual(sorted(whole));
    expect(rowsOf('whole-round')).toHaveLength(200);
    expect(sorted(rowsOf('parts-round'))).toEqual(sorted(rowsOf('whole-round')));
  }, DEADLINE_MS);

  it('says what is wrong with the code, and where it threw', async () => {
    const [nothing, failing] = await Promise.all([run('Nothing', 1), run('failing', 1)]);
    expect(nothing.exitCode).toBe(1);
    expect(nothing.errors).toMatch(/MR-CODE-SHAPE: .*`Nothing` of file:.*code\.ts .*has no method process\(/);
    expect(failing.exitCode).toBe(1);
    expect(failing.errors).toMatch(/MR-CODE-THREW: .*counts.* no payment of \d+ \(at file:.*code\.ts:39:9\)/);
  }, DEADLINE_MS);
});
