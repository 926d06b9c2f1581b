import { describe, expect, it } from '@jest/globals';
import { parseOptions, rowSchema, rowsOf, types } from '../../core/index.ts';
import type { Field, OptionTable, SourceConnector, SourceReader, SourceSpec, Value } from '../../core/index.ts';
import { ManualClock } from '../../testing/index.ts';
import { testContext } from '../test-context.ts';
import { datagenSource } from './datagen-source.ts';
import { nexmarkSource } from './nexmark-source.ts';

function specOf(source: SourceConnector, given: Record<string, unknown>, fields: readonly Field[] = []): SourceSpec {
  const { values, problems } = parseOptions(source.options as OptionTable, given);
  expect(problems).toEqual([]);
  const schema = source.fixedSchema(values) ?? rowSchema(fields);
  return {
    stepId: 'made', connector: source.name, options: values, format: null, schema, metadata: [],
    projection: schema.fields.map((_, index) => index), filters: [], errors: { kind: 'fail' },
  };
}

/** All rows of a bounded source that `parallelism` readers make, reader by reader. */
async function readAll(source: SourceConnector, spec: SourceSpec, parallelism = 1): Promise<Value[][][]> {
  const context = testContext({ clock: new ManualClock() });
  const enumerator = source.createEnumerator(spec, context);
  const splits = await enumerator.discover();
  return Promise.all(
    Array.from({ length: parallelism }, async (_, subtask) => {
      const reader = source.createReader(spec);
      await reader.open(context);
      reader.addSplits(splits.filter((_split, index) => index % parallelism === subtask));
      reader.noMoreSplits();
      const rows: Value[][] = [];
      while (!reader.isFinished) {
        const batch = reader.poll();
        if (batch === null) await reader.available();
        else rows.push(...rowsOf(batch));
      }
      return rows;
    }),
  );
}

function polled(reader: SourceReader): Value[][] {
  const batch = reader.poll();
  if (batch === null) throw new Error('nothing was at hand');
  return rowsOf(batch);
}

const FIELDS: Field[] = [
  { name: 'id', type: types.long },
  { name: 'region', type: types.string },
  { name: 'price', type: types.decimal(8, 2) },
  { name: 'at', type: types.timestamp },
  { name: 'code', type: types.string },
];
const GIVEN = {
  count: 5000,
  seed: 7,
  fields: {
    id: { kind: 'sequence', start: 1 },
    region: { values: ['north', 'south'], weights: [3, 1], nullRatio: 0.1 },
    price: { min: 1, max: 2.5 },
    at: { kind: 'sequence', start: '2026-01-01T00:00:00Z', step: 1000 },
    code: { pattern: 'A-##?\\#ö' },
  },
};

describe('datagen', () => {
  it('makes the rows that the settings ask for', async () => {
    const [rows = []] = await readAll(datagenSource, specOf(datagenSource, GIVEN, FIELDS));
    expect(rows.map(([id]) => id)).toEqual(Array.from({ length: 5000 }, (_, index) => BigInt(index + 1)));
    expect(rows[10]?.[3]).toBe(Date.UTC(2026, 0, 1, 0, 0, 10));
    for (const [, region, price, , code] of rows) {
      expect([null, 'north', 'south']).toContain(region);
      expect(price as bigint >= 100n && (price as bigint) <= 250n).toBe(true);
      expect(code).toMatch(/^A-\d\d[a-z]#ö$/);
    }
    const count = (wanted: Value): number => rows.filter(([, region]) => region === wanted).length;
    expect(count(null)).toBeGreaterThan(400);
    expect(count(null)).toBeLessThan(600);
    expect(count('north') / count('south')).toBeGreaterThan(2.7);
    expect(count('north') / count('south')).toBeLessThan(3.3);
  });

  it('makes the same rows with any number of readers', async () => {
    const spec = specOf(datagenSource, GIVEN, FIELDS);
    const [one = []] = await readAll(datagenSource, spec);
    const three = (await readAll(datagenSource, spec, 3)).flat();
    const byId = (a: Value[], b: Value[]): number => Number((a[0] as bigint) - (b[0] as bigint));
    expect(three.sort(byId)).toEqual(one);
  });

  it('loses and repeats nothing when the rate is another one after a restart', async () => {
    const clock = new ManualClock();
    const context = testContext({ clock });
    const spec = specOf(datagenSource, { ...GIVEN, rate: 100 }, FIELDS);
    const splits = await datagenSource.createEnumerator(spec, context).discover();
    const first = datagenSource.createReader(spec);
    await first.open(context);
    first.addSplits(splits);
    clock.advanceTo(clock.nowMs() + 1000);
    const rows = Array.from({ length: 20 }, () => polled(first)).flat();
    const second = datagenSource.createReader(specOf(datagenSource, GIVEN, FIELDS));
    await second.open(context);
    second.addSplits(first.positions());
    second.noMoreSplits();
    while (!second.isFinished) rows.push(...polled(second));
    const ids = rows.map(([id]) => Number(id)).sort((a, b) => a - b);
    expect(ids).toEqual(Array.from({ length: 5000 }, (_, index) => index + 1));
  });

  it('goes on where its positions say', async () => {
    const spec = specOf(datagenSource, GIVEN, FIELDS);
    const [all = []] = await readAll(datagenSource, spec);
    const context = testContext({ clock: new ManualClock() });
    const first = datagenSource.createReader(spec);
    await first.open(context);
    first.addSplits(await datagenSource.createEnumerator(spec, context).discover());
    const before = polled(first);
    const second = datagenSource.createReader(spec);
    await second.open(context);
    second.addSplits(first.positions());
    expect(polled(second)).toEqual(all.slice(before.length, 2 * before.length));
  });

  it('keeps to the rate by the clock', async () => {
    const clock = new ManualClock();
    const context = testContext({ clock });
    const spec = specOf(datagenSource, { ...GIVEN, rate: 10, count: 25 }, FIELDS);
    const reader = datagenSource.createReader(spec);
    await reader.open(context);
    reader.addSplits(await datagenSource.createEnumerator(spec, context).discover());
    reader.noMoreSplits();
    const times: number[] = [];
    while (!reader.isFinished) {
      const batch = reader.poll();
      if (batch !== null) for (let i = 0; i < batch.rowCount; i++) times.push(clock.monotonicMs());
      else {
        const available = reader.available();
        clock.runNext();
        await available;
      }
    }
    expect(times).toEqual(Array.from({ length: 25 }, (_, index) => index * 100));
  });

  it('says what is wrong with the settings of fields', () => {
    const fields = {
      idd: {},
      id: { kind: 'pattern', pattern: '#' },
      region: { values: [] },
      price: { min: 5, max: 1 },
      at: { kind: 'sequenze' },
    };
    const spec = specOf(datagenSource, { fields }, [...FIELDS, { name: 'tags', type: types.array(types.int) }]);
    expect(datagenSource.check(spec).map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
      expect.stringContaining('fields.idd: the schema has no field `idd`; did you mean `id`?'),
      expect.stringContaining('fields.id: `pattern` makes no long'),
      expect.stringContaining('fields.region: `region`: `values` must be a list'),
      expect.stringContaining('fields.price: `price`: `min` 5 is above `max` 1'),
      expect.stringContaining('fields.at.kind: `kind` must be one of'),
      expect.stringContaining('fields.tags: field `tags` is array<int>'),
    ]);
  });

  it('draws ranks by Zipf', async () => {
    const fields = { id: { kind: 'zipf', values: 100, exponent: 1 } };
    const spec = specOf(datagenSource, { count: 20_000, fields }, FIELDS.slice(0, 1));
    const [rows = []] = await readAll(datagenSource, spec);
    const counts = new Map<bigint, number>();
    for (const [id] of rows) counts.set(id as bigint, (counts.get(id as bigint) ?? 0) + 1);
    expect(Math.max(...[...counts.keys()].map(Number))).toBeLessThanOrEqual(100);
    // The first rank has 1 / H(100) = 19.3 % of the draws.
    expect(counts.get(1n)).toBeGreaterThan(3600);
    expect(counts.get(1n)).toBeLessThan(4100);
    expect((counts.get(1n) ?? 0) / (counts.get(10n) ?? 1)).toBeGreaterThan(7.5);
  });
});

describe('nexmark', () => {
  it('makes bids that refer to auctions and people near them', async () => {
    const [rows = []] = await readAll(nexmarkSource, specOf(nexmarkSource, { kind: 'bid', events: 9200 }));
    expect(rows).toHaveLength(9200);
    let hot = 0;
    rows.forEach(([auction, bidder, price, channel, url, dateTime, extra], row) => {
      const epoch = Math.floor(row / 46);
      const lastAuction = 1000 + epoch * 3 + 2;
      expect(Number(auction)).toBeGreaterThanOrEqual(Math.max(1000, lastAuction - 102));
      expect(Number(auction)).toBeLessThanOrEqual(lastAuction + 10);
      expect(Number(bidder)).toBeLessThanOrEqual(1000 + epoch + 10);
      expect(Number(price)).toBeGreaterThanOrEqual(100);
      expect(Number(price)).toBeLessThanOrEqual(100_000_000);
      expect(channel).toMatch(/^(Google|Facebook|Baidu|Apple|channel-\d+)$/);
      expect(url).toMatch(/^https:\/\/www\.nexmark\.com(\/[a-z_]+){3}\/item\.htm\?query=1(&channel_id=\d+)?$/);
      expect(dateTime).toBe(1_436_918_400_000 + Math.floor((epoch * 50 + 4 + (row % 46)) / 10));
      expect((extra as string).length).toBeGreaterThanOrEqual(54);
      expect((extra as string).length).toBeLessThan(82);
      if ((Number(auction) - 1000) % 100 === 0) hot++;
    });
    expect(hot / 9200).toBeGreaterThan(0.47);
    expect(hot / 9200).toBeLessThan(0.54);
  });

  it('makes persons, auctions and bids in their proportions', async () => {
    const [rows = []] = await readAll(nexmarkSource, specOf(nexmarkSource, { events: 500 }));
    const kinds = rows.map((row) => row.slice(0, 3).findIndex((value) => value !== null));
    expect(kinds.slice(0, 6)).toEqual([0, 1, 1, 1, 2, 2]);
    expect([0, 1, 2].map((kind) => kinds.filter((each) => each === kind).length)).toEqual([10, 30, 460]);
    const [bids = []] = await readAll(nexmarkSource, specOf(nexmarkSource, { kind: 'bid', events: 46 }));
    expect(rows.slice(4, 50).map((row) => row[2])).toEqual(bids);
  });

  it.each(['person', 'auction'])('makes rows of kind %s', async (kind) => {
    const [rows = []] = await readAll(nexmarkSource, specOf(nexmarkSource, { kind, events: 300 }));
    expect(rows.map(([id]) => id)).toEqual(Array.from({ length: 300 }, (_, index) => BigInt(1000 + index)));
    for (const row of rows) expect(row).not.toContain(null);
  });
});
