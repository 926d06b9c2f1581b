/** The input of the crash test: orders that depend on the seed, the partition and their place in it alone. */
import { seededHash } from './seeded-hash.ts';

export interface Order {
  /** Names the record: its place times the number of partitions, plus the partition. */
  readonly id: number;
  readonly region: string;
  readonly cents: number;
  /** Event time, in ms since the epoch. */
  readonly timestampMs: number;
}

export interface OrderStream {
  readonly seed: number;
  readonly partitions: number;
  readonly ordersPerPartition: number;
}

/** How much earlier than one before it in its partition an order may be: `delay` of the jobs' watermark. */
export const DISORDER_MS = 2000;

const FIRST_ORDER_MS = Date.UTC(2026, 0, 1);
const ORDER_EVERY_MS = 10;
const REGIONS = 23;
const MAX_CENTS = 100_000;

export function orderAt({ seed, partitions }: OrderStream, partition: number, index: number): Order {
  const chance = seededHash(seed, partition, index);
  return {
    id: index * partitions + partition,
    region: `r${chance % REGIONS}`,
    cents: 1 + (seededHash(chance, 1) % MAX_CENTS),
    timestampMs: FIRST_ORDER_MS + index * ORDER_EVERY_MS - (seededHash(chance, 2) % DISORDER_MS),
  };
}

/** As the topic holds it. */
export function orderText({ id, region, cents, timestampMs }: Order): string {
  return JSON.stringify({ id, region, cents, ts: new Date(timestampMs).toISOString() });
}

/** All of them, partition by partition. */
export function* allOrders(stream: OrderStream): Generator<Order> {
  for (let partition = 0; partition < stream.partitions; partition++) {
    for (let index = 0; index < stream.ordersPerPartition; index++) yield orderAt(stream, partition, index);
  }
}
