/**
 * The Nexmark queries in examples/nexmark that need state, over generated events and without a broker: what they print
 * is compared with what a plain program says. (Those without state, and some with, are compared over Kafka in
 * integration/cli/nexmark.test.ts and by the benchmark.)
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { runFake } from './fixtures/fake-context.ts';

type Row = Readonly<Record<string, string | number>>;

interface Bid extends Row {
  auction: number;
  bidder: number;
  price: number;
  channel: string;
  url: string;
  dateTime: string;
  extra: string;
}

interface Auction extends Row {
  id: number;
  seller: number;
  category: number;
  dateTime: string;
  expires: string;
  extra: string;
}

interface Person extends Row {
  id: number;
  name: string;
  city: string;
  state: string;
}

interface Events {
  readonly bids: readonly Bid[];
  readonly auctions: readonly Auction[];
  readonly persons: readonly Person[];
}

interface Example {
  readonly name: string;
  /** Far apart, so that there are several days and hours; or close, so that windows have many bids. */
  readonly eventsPerSecond: number;
  /** Fields by which the newest row counts; null where all rows do. */
  readonly key: readonly string[] | null;
  readonly answer: (events: Events) => readonly Row[];
}

/** The table of q13. */
const SIDE_INPUT = 'examples/nexmark/side-input.csv';
const EPOCHS = 60;
const COUNTS = { persons: EPOCHS, auctions: 3 * EPOCHS, bids: 46 * EPOCHS } as const;
const KINDS = { persons: 'person', auctions: 'auction', bids: 'bid' } as const;
type Kind = keyof typeof KINDS;

const FAST = 20;
const SLOW = 0.05;
const START_MS = Date.UTC(2015, 6, 15, 15);

const withOf = (kind: Kind, eventsPerSecond: number): string =>
  `{kind: ${KINDS[kind]}, events: ${COUNTS[kind]}, eventRate: ${eventsPerSecond}, startTime: ${START_MS}, seed: 11}`;

/** Bids on an auction while it was open, by auction. */
function validBids({ bids, auctions }: Events): readonly { readonly auction: Auction; readonly bid: Bid }[] {
  return auctions.flatMap((auction) =>
    bids
      .filter((bid) => bid.auction === auction.id)
      .filter(({ dateTime }) => auction.dateTime <= dateTime && dateTime <= auction.expires)
      .map((bid) => ({ auction, bid })),
  );
}

function groups<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly [T, ...T[]])[] {
  return [...Map.groupBy(items, keyOf).values()] as [T, ...T[]][];
}

/** Integers, as SQL divides them. */
const average = (values: readonly number[]): number => Math.trunc(values.reduce((a, b) => a + b) / values.length);

const highestFirst = (a: Bid, b: Bid): number => b.price - a.price;

const RANKS: readonly (readonly [string, (bid: Bid) => boolean])[] = [
  ['total', () => true],
  ['rank1', ({ price }) => price < 10_000],
  ['rank2', ({ price }) => price >= 10_000 && price < 1_000_000],
  ['rank3', ({ price }) => price >= 1_000_000],
];

function statistics(bids: readonly Bid[], distinct: readonly ('bidder' | 'auction')[]): Row {
  const counts = RANKS.flatMap(([rank, isOf]) => {
    const chosen = bids.filter(isOf);
    const values = distinct.map((field) => {
      const different = new Set(chosen.map((bid) => bid[field]));
      return [`${rank}_${field}s`, different.size] as const;
    });
    return [[`${rank}_bids`, chosen.length] as const, ...values];
  });
  return Object.fromEntries(counts);
}

const dayOf = ({ dateTime }: Bid): string => dateTime.slice(0, 10);
const minuteOf = ({ dateTime }: Bid): string => dateTime.slice(11, 16);

function sessionsOf(bids: readonly Bid[]): Row[] {
  const sessions: { bids: number; first: number; last: number }[] = [];
  for (const time of bids.map(({ dateTime }) => Date.parse(dateTime)).sort((a, b) => a - b)) {
    const last = sessions.at(-1);
    if (last === undefined || time >= last.last + 10_000) sessions.push({ bids: 1, first: time, last: time });
    else Object.assign(last, { bids: last.bids + 1, last: time });
  }
  return sessions.map(({ bids: bid_count, first, last }) => ({
    bid_count,
    starttime: new Date(first).toISOString(),
    endtime: new Date(last + 10_000).toISOString(),
  }));
}

function timeOfDay(dateTime: string): string {
  const hour = new Date(dateTime).getUTCHours();
  if (hour >= 8 && hour <= 18) return 'dayTime';
  return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime';
}

const example = (name: string, key: Example['key'], answer: Example['answer'], eventsPerSecond = FAST): Example => ({
  name,
  key,
  answer,
  eventsPerSecond,
});

const EXAMPLES: readonly Example[] = [
  example('q3', null, ({ auctions, persons }) =>
    auctions
      .filter(({ category }) => category === 10)
      .flatMap(({ id, seller }) =>
        persons
          .filter((person) => person.id === seller && ['OR', 'ID', 'CA'].includes(person.state))
          .map(({ name, city, state }) => ({ name, city, state, id })),
      ),
  ),
  example('q4', ['category'], (events) => {
    const winning = groups(validBids(events), ({ auction }) => String(auction.id)).map((all) => ({
      category: all[0].auction.category,
      final: Math.max(...all.map(({ bid }) => bid.price)),
    }));
    return groups(winning, ({ category }) => String(category)).map((all) => ({
      category: all[0].category,
      avg_final: average(all.map(({ final }) => final)),
    }));
  }),
  example('q6', ['seller'], (events) => {
    const winning = groups(validBids(events), ({ auction }) => String(auction.id)).map((all) => {
      const [best] = all.map(({ bid }) => bid).sort(highestFirst) as [Bid];
      return { seller: all[0].auction.seller, price: best.price, dateTime: best.dateTime };
    });
    return groups(winning, ({ seller }) => String(seller)).map((all) => {
      const last = [...all].sort((a, b) => (a.dateTime > b.dateTime ? -1 : 1)).slice(0, 11);
      return { seller: all[0].seller, avg_price: average(last.map(({ price }) => price)) };
    });
  }),
  example('q9', ['id'], (events) =>
    groups(validBids(events), ({ auction }) => String(auction.id)).map((all) => {
      const [{ auction }] = all;
      const [best] = all.map(({ bid }) => bid).sort(highestFirst) as [Bid];
      const { dateTime: bid_dateTime, extra: bid_extra, bidder, price } = best;
      return { ...auction, auction: best.auction, bidder, price, bid_dateTime, bid_extra };
    }),
  ),
  example('q10', null, ({ bids }) =>
    bids.map((bid) => {
      const { auction, bidder, price, dateTime, extra } = bid;
      return { auction, bidder, price, dateTime, extra, dt: dayOf(bid), hm: minuteOf(bid) };
    }),
    SLOW,
  ),
  example('q11', null, ({ bids }) =>
    groups(bids, ({ bidder }) => String(bidder)).flatMap((all) =>
      sessionsOf(all).map((session) => ({ bidder: all[0].bidder, ...session })),
    ),
  ),
  example('q13', null, ({ bids }) => {
    const lines = readFileSync(SIDE_INPUT, 'utf8').trim().split('\n').slice(1);
    const table = new Map(lines.map((line) => line.split(',') as [string, string]));
    return bids.flatMap(({ auction, bidder, price, dateTime }) => {
      const value = table.get(String(auction % 10_000));
      return value === undefined ? [] : [{ auction, bidder, price, dateTime, value }];
    });
  }),
  example('q14', null, ({ bids }) =>
    bids.flatMap(({ auction, bidder, price: full, dateTime, extra }) => {
      const price = (full * 908) / 1000;
      if (price <= 1_000_000 || price >= 50_000_000) return [];
      const c_counts = extra.split('c').length - 1;
      return [{ auction, bidder, price, bidTimeType: timeOfDay(dateTime), dateTime, extra, c_counts }];
    }),
    SLOW,
  ),
  example('q15', ['day'], ({ bids }) =>
    groups(bids, dayOf).map((all) => ({ day: dayOf(all[0]), ...statistics(all, ['bidder', 'auction']) })),
    SLOW,
  ),
  example('q16', ['channel', 'day'], ({ bids }) =>
    groups(bids, (bid) => `${bid.channel} ${dayOf(bid)}`).map((all) => {
      const [{ channel }] = all;
      const minute = all.map(minuteOf).reduce((a, b) => (a > b ? a : b));
      return { channel, day: dayOf(all[0]), minute, ...statistics(all, ['bidder', 'auction']) };
    }),
    SLOW,
  ),
  example('q17', ['auction', 'day'], ({ bids }) =>
    groups(bids, (bid) => `${bid.auction} ${dayOf(bid)}`).map((all) => {
      const prices = all.map(({ price }) => price);
      return {
        auction: all[0].auction,
        day: dayOf(all[0]),
        ...statistics(all, []),
        min_price: Math.min(...prices),
        max_price: Math.max(...prices),
        avg_price: average(prices),
        sum_price: prices.reduce((a, b) => a + b),
      };
    }),
    SLOW,
  ),
  example('q19', ['auction', 'rank_number'], ({ bids }) =>
    groups(bids, ({ auction }) => String(auction)).flatMap((all) =>
      [...all].sort(highestFirst).slice(0, 10).map((bid, place) => ({ ...bid, rank_number: place + 1 })),
    ),
  ),
  example('q20', null, ({ bids, auctions }) =>
    bids.flatMap(({ dateTime: bid_dateTime, extra: bid_extra, ...bid }) =>
      auctions
        .filter(({ id, category }) => id === bid['auction'] && category === 10)
        .map(({ id, dateTime: auction_dateTime, extra: auction_extra, ...auction }) => {
          const fields = { ...auction, auction_dateTime, auction_extra };
          return { ...bid, auction: id, bid_dateTime, bid_extra, ...fields };
        }),
    ),
  ),
];

const linesOf = (output: string): Row[] =>
  output.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Row);

async function eventsAt(eventsPerSecond: number): Promise<Events> {
  const rowsOf = async (kind: Kind): Promise<Row[]> => {
    const source = `  - id: rows\n    source: nexmark\n    with: ${withOf(kind, eventsPerSecond)}\n`;
    const files = { 'job.yaml': `name: events\nsteps:\n${source}  - id: out\n    sink: print\n` };
    return linesOf((await runFake(['datagen', 'job.yaml'], { files })).output);
  };
  const [bids, auctions, persons] = [await rowsOf('bids'), await rowsOf('auctions'), await rowsOf('persons')];
  return { bids: bids as Bid[], auctions: auctions as Auction[], persons: persons as Person[] };
}

/** The example with generators where it reads topics, and standard output where it writes one. */
function withoutKafka(text: string, eventsPerSecond: number): string {
  return text
    .replaceAll(
      /- id: (\w+)\n {4}source: kafka\n {4}with:\n(?: {6}.*\n)+ {4}schema:\n(?: {6}.*\n)+/g,
      (_, id: string) => `- id: ${id}\n    source: nexmark\n    with: ${withOf(id as Kind, eventsPerSecond)}\n`,
    )
    .replace(/sink: \w+\n {4}with:\n(?: {6}.*\n)+/, 'sink: print\n    with: {rowKind: true}\n');
}

/** Fields by name, numbers as exact decimals. */
function canonical(row: Row): string {
  const fields = Object.entries(row).map(([name, value]) => {
    const isNumeric = typeof value === 'number' || /^-?\d+\.\d+$/.test(value);
    return `${name}=${isNumeric ? Number(value).toFixed(3) : value}`;
  });
  return fields.sort().join(' ');
}

/** What a changelog leaves, or all rows where there is no key. */
function leftOf(rows: readonly Row[], key: Example['key']): Row[] {
  const left = new Map<string, Row>();
  for (const [index, { rowKind, ...row }] of rows.entries()) {
    if (rowKind === '-U') continue;
    const id = key === null ? String(index) : key.map((field) => row[field]).join(' ');
    if (rowKind === '-D') left.delete(id);
    else left.set(id, row);
  }
  return [...left.values()];
}

const eventsByRate = new Map<number, Promise<Events>>();

describe('examples/nexmark without a broker', () => {
  it.each(EXAMPLES)('$name says what a plain program says', async ({ name, eventsPerSecond, key, answer }) => {
    const events = eventsByRate.get(eventsPerSecond) ?? eventsAt(eventsPerSecond);
    eventsByRate.set(eventsPerSecond, events);
    const expected = answer(await events);
    expect(expected.length).toBeGreaterThan(1);
    const path = join(import.meta.dirname, '..', '..', 'examples', 'nexmark', `${name}.yaml`);
    const files = {
      'job.yaml': withoutKafka(readFileSync(path, 'utf8'), eventsPerSecond),
      [SIDE_INPUT]: readFileSync(SIDE_INPUT, 'utf8'),
    };
    const { exitCode, output, errors } = await runFake(['run', '-q', '--parallelism', '2', 'job.yaml'], { files });
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    const rows = linesOf(output);
    expect(leftOf(rows, key).map(canonical).sort()).toEqual(expected.map(canonical).sort());
  }, 120_000);
});
