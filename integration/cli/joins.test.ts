/** Joins, dedupe and top-n through the whole of `millrace run`: files in, a file and lines out. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { seededRandom } from '../../src/testing/index.ts';
import { jsonLines, runMillrace } from './run-millrace.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);

interface Order {
  readonly id: number;
  readonly region: string;
  readonly amount: number;
  readonly at: number;
}

interface Payment {
  readonly orderId: number;
  readonly paid: number;
  readonly at: number;
}

const JOB = `name: paid-orders
parallelism: 2
steps:
  - id: orders
    source: file
    with: {path: '\${FOLDER}/orders.jsonl', format: json}
    schema: {id: long, region: string, amount: long, at: timestamp}
    watermark: {field: at, delay: 2m}
  - id: payments
    source: file
    with: {path: '\${FOLDER}/payments.jsonl', format: json}
    schema: {orderId: long, paid: long, at: timestamp}
    watermark: {field: at, delay: 2m}
  - id: unique
    from: orders
    dedupe: {key: [id]}
  - id: matched
    from: [unique, payments]
    join:
      type: TYPE
      on: unique.id = payments.orderId AND payments.paid >= unique.amount
      BOUNDS
      select: {id: unique.id, region: unique.region, amount: unique.amount, paid: payments.paid}
`;

const TO_FILE = `  - id: out
    sink: file
    with: {path: '\${FOLDER}/out', format: json}
`;

const TO_LINES = `  - id: out
    sink: print
    with: {rowKind: true}
`;

const BEST = `  - id: best
    topN: {key: [region], by: [amount desc, id], n: 3, rank: place}
`;

const iso = (ms: number): string => new Date(ms).toISOString();

describe('orders and payments', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-joins-'));
  const orders: Order[] = [];
  const payments: Payment[] = [];

  beforeAll(() => {
    const random = seededRandom(17);
    const below = (end: number): number => Math.floor(random() * end);
    for (let i = 0; i < 3000; i++) {
      // An id comes up to three times; rows are out of order by less than the delay.
      const at = START + i * 1000 - below(100_000);
      orders.push({ id: below(1500), region: ['north', 'south', 'west'][below(3)] as string, amount: below(1000), at });
      payments.push({ orderId: below(1500), paid: below(1500), at: START + i * 1000 - below(100_000) });
    }
    const lines = (rows: readonly { readonly at: number }[]) =>
      rows.map((row) => `${JSON.stringify({ ...row, at: iso(row.at) })}\n`).join('');
    writeFileSync(join(folder, 'orders.jsonl'), lines(orders));
    writeFileSync(join(folder, 'payments.jsonl'), lines(payments));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** The earliest order of each id; of one time the first. */
  const firstOrders = (): readonly Order[] => {
    const first = new Map<number, Order>();
    for (const order of orders) {
      const known = first.get(order.id);
      if (known === undefined || order.at < known.at) first.set(order.id, order);
    }
    return [...first.values()];
  };

  const pairs = (isNear: (order: Order, payment: Payment) => boolean, isLeft: boolean) =>
    firstOrders().flatMap((order) => {
      const { id, region, amount } = order;
      const partners = payments.filter(
        (payment) => payment.orderId === id && payment.paid >= amount && isNear(order, payment),
      );
      if (partners.length === 0 && isLeft) return [{ id, region, amount, paid: null as number | null }];
      return partners.map(({ paid }) => ({ id, region, amount, paid: paid as number | null }));
    });

  const run = async (type: string, bounds: string, end: string) => {
    const job = join(folder, 'job.yaml');
    writeFileSync(job, JOB.replace('TYPE', type).replace('BOUNDS', bounds) + end);
    const ended = await runMillrace(['run', job, '--set', `FOLDER=${folder}`]);
    expect({ exitCode: ended.exitCode, errors: ended.errors }).toEqual({
      exitCode: 0,
      errors: expect.stringContaining('FINISHED'),
    });
    return ended;
  };

  const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();

  it('meet within an hour, each order once, and those that were not paid are told', async () => {
    await run('left', 'within: {before: 10m, after: 20m}', TO_FILE);
    const expected = pairs(({ at }, payment) => payment.at >= at - 10 * MINUTE && payment.at <= at + 20 * MINUTE, true);
    expect(expected.some(({ paid }) => paid === null)).toBe(true);
    expect(sorted(outputOf(folder))).toEqual(sorted(expected));
  });

  it('meet whenever they come: what had no partner yet is taken back, where it was told at all', async () => {
    const { output } = await run('left', '', TO_LINES);
    const left = new Map<string, number>();
    for (const line of jsonLines(output)) {
      const { rowKind, ...row } = line as Readonly<Record<string, string | number | null>>;
      const text = JSON.stringify(row);
      left.set(text, (left.get(text) ?? 0) + (rowKind === '-D' ? -1 : 1));
    }
    const rows = [...left].flatMap(([text, count]) => Array.from({ length: count }, () => JSON.parse(text) as unknown));
    expect(sorted(rows)).toEqual(sorted(pairs(() => true, true)));
  });

  it('are ranked per region by a changelog in which the newest row of a place counts', async () => {
    const { output } = await run('inner', '', BEST + TO_LINES);
    const places = new Map<string, unknown>();
    for (const row of jsonLines(output)) {
      const { rowKind, region, place, ...rest } = row as Readonly<Record<string, string | number>>;
      if (rowKind === '-U') expect(places.get(`${region} ${place}`)).toEqual(rest);
      else places.set(`${region} ${place}`, rest);
    }
    expect(output).toContain('-U');
    const all = pairs(() => true, false).toSorted((a, b) => b.amount - a.amount || a.id - b.id);
    for (const region of ['north', 'south', 'west']) {
      const best = all.filter((row) => row.region === region).slice(0, 3);
      expect(best).toHaveLength(3);
      const found = best.map((_, index) => places.get(`${region} ${index + 1}`));
      expect(found.map((row) => (row as { readonly amount: number }).amount)).toEqual(best.map(({ amount }) => amount));
      expect(found.map((row) => (row as { readonly id: number }).id)).toEqual(best.map(({ id }) => id));
    }
    expect(places.size).toBe(9);
  });
});

function outputOf(folder: string): readonly unknown[] {
  const parts = readdirSync(join(folder, 'out'));
  return parts.flatMap((part) => jsonLines(readFileSync(join(folder, 'out', part), 'utf8')));
}
