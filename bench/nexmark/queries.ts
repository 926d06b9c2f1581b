/**
 * The Nexmark queries. The engine runs the job files in examples/nexmark, Flink the official SQL (bench/flink); for
 * those that need no state there is also what a plain program writes.
 */

/** A bid as the input topic holds it, after JSON.parse. */
export interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: string;
  readonly extra: string;
}

export type OutputRow = Readonly<Record<string, string | number | null>>;

/** `bids` come in order; `late-bids` and `late-sales` (persons and auctions) up to 3 s late. */
export type Dataset = 'bids' | 'late-bids' | 'late-sales';

export interface Query {
  readonly name: string;
  readonly jobFile: string;
  readonly dataset: Dataset;
  /** Fields of which the newest record counts; null where every record does. */
  readonly upsertKey: readonly string[] | null;
}

/** A query of bids, each for itself. */
export interface BidQuery extends Query {
  /** What a plain program would write: the row for a bid, or null where it drops it. */
  readonly compute: (bid: Bid) => OutputRow | null;
  /** Whether an output row stands for every input row. */
  readonly keepsAll: boolean;
}

const CHANNELS: Readonly<Record<string, string>> = { apple: '0', google: '1', facebook: '2', baidu: '3' };

function channelId(bid: Bid): string | null {
  const known = CHANNELS[bid.channel.toLowerCase()];
  if (known !== undefined) return known;
  return /(&|^)channel_id=([^&]*)/.exec(bid.url)?.[2] ?? null;
}

/** 0.908 × price to three decimals, exactly: a float64 product of integers, scaled afterwards. */
function discounted(price: number): number {
  return (price * 908) / 1000;
}

const ofBids = (name: string) =>
  ({ name, jobFile: `examples/nexmark/${name}.yaml`, dataset: 'bids', upsertKey: null }) as const;

const stateless: readonly BidQuery[] = [
  {
    ...ofBids('q0'),
    keepsAll: true,
    compute: ({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra }),
  },
  {
    ...ofBids('q1'),
    keepsAll: true,
    compute: ({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price: discounted(price),
      dateTime,
      extra,
    }),
  },
  {
    ...ofBids('q2'),
    keepsAll: false,
    compute: ({ auction, price }) => (auction % 123 === 0 ? { auction, price } : null),
  },
  {
    ...ofBids('q21'),
    keepsAll: false,
    compute: (bid) => {
      const id = channelId(bid);
      if (id === null) return null;
      return { auction: bid.auction, bidder: bid.bidder, price: bid.price, channel: bid.channel, channel_id: id };
    },
  },
  {
    ...ofBids('q22'),
    keepsAll: true,
    compute: ({ auction, bidder, price, channel, url }) => {
      const parts = url.split('/');
      return {
        auction,
        bidder,
        price,
        channel,
        dir1: parts[3] ?? null,
        dir2: parts[4] ?? null,
        dir3: parts[5] ?? null,
      };
    },
  },
];

const windowed = (name: string, dataset: Dataset): Query => ({ ...ofBids(name), dataset });

const stateful: readonly Query[] = [
  windowed('q5', 'late-bids'),
  windowed('q7', 'late-bids'),
  windowed('q8', 'late-sales'),
  windowed('q12e', 'late-bids'),
  { ...ofBids('q18'), dataset: 'late-bids', upsertKey: ['bidder', 'auction'] },
];

export const bidQueries: ReadonlyMap<string, BidQuery> = new Map(stateless.map((query) => [query.name, query]));
const all: readonly Query[] = [...stateless, ...stateful];
export const queries: ReadonlyMap<string, Query> = new Map(all.map((query) => [query.name, query]));
