/** The orders of the demo, and what the job must make of them, computed without the engine. */

const REGIONS: readonly (string | null)[] = ['africa', 'america', 'asia', 'europe', 'oceania', null];
const LARGE_CENTS = 100_00;
const MAX_CENTS = 400_00;
const FIRST_ORDER_MS = Date.UTC(2026, 0, 1);

export interface RegionTotal {
  readonly totalCents: number;
  readonly orders: number;
}

/** Makes orders from a seed, and keeps the totals of those that are large and have a region. */
export class OrderSource {
  readonly totals = new Map<string, RegionTotal>();
  #state: number;
  #made = 0;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  get made(): number {
    return this.#made;
  }

  /** The next order, as JSON. */
  next(): string {
    const region = REGIONS[this.#below(REGIONS.length)] ?? null;
    const cents = 1 + this.#below(MAX_CENTS);
    this.#made += 1;
    if (cents > LARGE_CENTS && region !== null) {
      const before = this.totals.get(region) ?? { totalCents: 0, orders: 0 };
      this.totals.set(region, { totalCents: before.totalCents + cents, orders: before.orders + 1 });
    }
    const orderId = `o-${String(this.#made).padStart(8, '0')}`;
    const ts = new Date(FIRST_ORDER_MS + this.#made * 10).toISOString();
    const amount = (cents / 100).toFixed(2);
    return `{"orderId":"${orderId}","region":${JSON.stringify(region)},"amount":${amount},"ts":"${ts}"}`;
  }

  /** A whole number from 0 up to `bound`, by Marsaglia's xorshift of 32 bits. */
  #below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return Math.floor((this.#state / 2 ** 32) * bound);
  }
}

/** The newest total per region of the job's output records, in their order. */
export function totalsOf(records: readonly string[]): Map<string, RegionTotal> {
  const totals = new Map<string, RegionTotal>();
  for (const text of records) {
    const { region, total, orders } = JSON.parse(text) as { region: string; total: string | number; orders: number };
    totals.set(region, { totalCents: Math.round(Number(total) * 100), orders });
  }
  return totals;
}

/** What is wrong with the totals that the job wrote; null where nothing is. */
export function differenceOf(
  expected: ReadonlyMap<string, RegionTotal>,
  found: ReadonlyMap<string, RegionTotal>,
): string | null {
  for (const region of new Set([...expected.keys(), ...found.keys()])) {
    const wanted = expected.get(region);
    const given = found.get(region);
    if (wanted?.totalCents === given?.totalCents && wanted?.orders === given?.orders) continue;
    return `${region}: the job says ${describe(given)}, right is ${describe(wanted)}`;
  }
  return null;
}

function describe(total: RegionTotal | undefined): string {
  return total === undefined ? 'nothing' : `${(total.totalCents / 100).toFixed(2)} in ${total.orders} orders`;
}

export function formatTotals(totals: ReadonlyMap<string, RegionTotal>): string {
  const rows = [...totals].sort(([a], [b]) => (a < b ? -1 : 1));
  const money = rows.map(([, { totalCents }]) => (totalCents / 100).toFixed(2));
  const width = Math.max(0, ...money.map((text) => text.length));
  return rows
    .map(([region, { orders }], i) => `  ${region.padEnd(10)} ${(money[i] ?? '').padStart(width)}  in ${orders} orders`)
    .join('\n');
}
