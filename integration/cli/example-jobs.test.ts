/** The jobs in examples/ that have a folder of their own, over the data that lies there, against plain programs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { jsonLines, projectRoot, runMillrace } from './run-millrace.ts';

const MINUTE = 60_000;

function dataOf<T>(example: string, file: string): readonly T[] {
  return jsonLines(readFileSync(join(projectRoot, 'examples', example, file), 'utf8')) as T[];
}

async function outputOf<T>(example: string): Promise<readonly T[]> {
  const { exitCode, output, errors } = await runMillrace(['run', '-q', '--fresh', `examples/${example}/job.yaml`]);
  expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
  return jsonLines(output) as T[];
}

const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
const isoOf = (timeMs: number): string => new Date(timeMs).toISOString();

interface Click {
  readonly user: string;
  readonly page: string;
  readonly at: string;
}

interface Price {
  readonly item: string;
  readonly price: string;
  readonly since: string;
}

interface Order {
  readonly id: number;
  readonly item: string;
  readonly quantity: number;
  readonly at: string;
}

interface Sale {
  readonly item: string;
  readonly quantity: number;
  readonly at: string;
}

interface Payment {
  readonly id: number;
  readonly card: string;
  readonly amount: number;
  readonly country: string;
  readonly at: string;
}

interface Place {
  readonly item: string;
  readonly minute: string;
  readonly sold: number;
  readonly place: number;
}

describe('examples', () => {
  it('clickstream-sessions tells the visits', async () => {
    const clicks = dataOf<Click>('clickstream-sessions', 'clicks.jsonl');
    const visits: Click[][] = [];
    for (const user of new Set(clicks.map((click) => click.user))) {
      let lastMs = -Infinity;
      const own = clicks.filter((click) => click.user === user).sort((a, b) => (a.at < b.at ? -1 : 1));
      for (const click of own) {
        if (Date.parse(click.at) >= lastMs + 30 * MINUTE) visits.push([]);
        visits.at(-1)?.push(click);
        lastMs = Date.parse(click.at);
      }
    }
    expect(visits.length).toBeGreaterThan(20);
    const expected = visits.map((visit) => {
      const [first, last] = [visit[0] as Click, visit.at(-1) as Click];
      const bought = visit.some(({ page }) => page === '/checkout');
      return {
        user: first.user,
        began: first.at,
        minutes: Math.trunc((Date.parse(last.at) - Date.parse(first.at)) / MINUTE),
        clicks: visit.length,
        pages: new Set(visit.map(({ page }) => page)).size,
        outcome: bought ? 'bought' : visit.length === 1 ? 'bounced' : 'looked',
      };
    });
    expect(new Set(expected.map(({ outcome }) => outcome)).size).toBe(3);
    expect(sorted(await outputOf('clickstream-sessions'))).toEqual(sorted(expected));
  }, 120_000);

  it('orders-with-prices takes the price of the time of the order', async () => {
    const prices = dataOf<Price>('orders-with-prices', 'prices.jsonl');
    const orders = dataOf<Order>('orders-with-prices', 'orders.jsonl');
    const expected = orders.map(({ id, item, quantity, at }) => {
      const known = prices.filter((price) => price.item === item && price.since <= at);
      const valid = known.reduce<Price | null>((a, b) => (a === null || b.since > a.since ? b : a), null);
      if (valid === null) return { id, item, quantity, price: null, total: null };
      const cents = Math.round(Number(valid.price) * 100);
      return { id, item, quantity, price: cents / 100, total: (cents * quantity) / 100 };
    });
    expect(expected.filter(({ price }) => price === null).length).toBeGreaterThan(10);
    expect(sorted(await outputOf('orders-with-prices'))).toEqual(sorted(expected));
  }, 120_000);

  it('fraud-rules judges each payment by those of its card before it', async () => {
    const payments = dataOf<Payment>('fraud-rules', 'payments.jsonl');
    const expected = payments.flatMap((payment) => {
      const { id, card, amount, country, at } = payment;
      const ageOf = (other: Payment): number => Date.parse(at) - Date.parse(other.at);
      const before = payments
        .filter((other) => other.card === card && other.id !== id && ageOf(other) >= 0 && ageOf(other) < 10 * MINUTE)
        .sort((a, b) => ageOf(b) - ageOf(a));
      const last = before.at(-1);
      const rules: string[] = [];
      if (last !== undefined && last.amount < 1 && amount > 500 && ageOf(last) <= MINUTE) rules.push('probe');
      if (before.length === 5) rules.push('burst');
      if (last !== undefined && last.country !== country && ageOf(last) <= 5 * MINUTE) rules.push('travel');
      return rules.map((rule) => ({ card, rule, payment: id, at }));
    });
    expect(new Set(expected.map(({ rule }) => rule)).size).toBe(3);
    expect(sorted(await outputOf('fraud-rules'))).toEqual(sorted(expected));
  }, 120_000);

  it('top-items leaves the three best of each minute', async () => {
    const sales = dataOf<Sale>('top-items', 'sales.jsonl');
    const minutes = Map.groupBy(sales, ({ at }) => isoOf(Math.floor(Date.parse(at) / MINUTE) * MINUTE));
    const expected = [...minutes].flatMap(([minute, all]) =>
      [...Map.groupBy(all, ({ item }) => item)]
        .map(([item, own]) => ({ item, minute, sold: own.reduce((sum, { quantity }) => sum + quantity, 0) }))
        .sort((a, b) => b.sold - a.sold || (a.item < b.item ? -1 : 1))
        .slice(0, 3)
        .map((row, place): Place => ({ ...row, place: place + 1 })),
    );
    expect(expected.length).toBeGreaterThan(15);
    const newest = new Map<string, Place>();
    for (const { rowKind, ...row } of await outputOf<Place & { readonly rowKind: string }>('top-items')) {
      if (rowKind !== '-U') newest.set(`${row.minute} ${row.place}`, row);
    }
    expect(sorted([...newest.values()])).toEqual(sorted(expected));
  }, 120_000);
});
