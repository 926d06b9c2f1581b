/**
 * The Nexmark queries that need no state, as the official SQL states them, in the forms that the peers need. The engine
 * runs the job files in examples/nexmark; Flink runs its own SQL (bench/flink).
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

export interface Query {
  readonly name: string;
  readonly jobFile: string;
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

const all: readonly Query[] = [
  {
    name: 'q0',
    jobFile: 'examples/nexmark/q0.yaml',
    keepsAll: true,
    compute: ({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra }),
  },
  {
    name: 'q1',
    jobFile: 'examples/nexmark/q1.yaml',
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
    name: 'q2',
    jobFile: 'examples/nexmark/q2.yaml',
    keepsAll: false,
    compute: ({ auction, price }) => (auction % 123 === 0 ? { auction, price } : null),
  },
  {
    name: 'q21',
    jobFile: 'examples/nexmark/q21.yaml',
    keepsAll: false,
    compute: (bid) => {
      const id = channelId(bid);
      if (id === null) return null;
      return { auction: bid.auction, bidder: bid.bidder, price: bid.price, channel: bid.channel, channel_id: id };
    },
  },
  {
    name: 'q22',
    jobFile: 'examples/nexmark/q22.yaml',
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

export const queries: ReadonlyMap<string, Query> = new Map(all.map((query) => [query.name, query]));
