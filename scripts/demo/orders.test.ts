import { describe, expect, it } from '@jest/globals';

import { differenceOf, formatTotals, OrderSource, totalsOf } from './orders.ts';

describe("the demo's orders", () => {
  it('are the same for the same seed, and add up', () => {
    const source = new OrderSource(7);
    const again = new OrderSource(7);
    const orders = Array.from({ length: 1000 }, () => source.next());
    expect(orders).toEqual(Array.from({ length: 1000 }, () => again.next()));
    expect(source.made).toBe(1000);
    const large = orders
      .map((text) => JSON.parse(text) as { region: string | null; amount: number })
      .filter(({ region, amount }) => region !== null && amount > 100);
    const count = [...source.totals.values()].reduce((sum, { orders: n }) => sum + n, 0);
    const cents = [...source.totals.values()].reduce((sum, { totalCents }) => sum + totalCents, 0);
    expect(count).toBe(large.length);
    expect(cents).toBe(large.reduce((sum, { amount }) => sum + Math.round(amount * 100), 0));
    expect(source.totals.size).toBe(5);
  });

  it('are judged by the newest record of each region', () => {
    const expected = new Map([['asia', { totalCents: 30_050, orders: 2 }]]);
    const right = ['{"region":"asia","total":150.25,"orders":1}', '{"region":"asia","total":"300.50","orders":2}'];
    expect(differenceOf(expected, totalsOf(right))).toBeNull();
    expect(differenceOf(expected, totalsOf(right.slice(0, 1)))).toBe(
      'asia: the job says 150.25 in 1 orders, right is 300.50 in 2 orders',
    );
    expect(differenceOf(expected, new Map())).toContain('the job says nothing');
    const extra = totalsOf([...right, '{"region":"mars","total":1,"orders":1}']);
    expect(differenceOf(expected, extra)).toContain('right is nothing');
    expect(formatTotals(expected)).toBe('  asia       300.50  in 2 orders');
  });
});
