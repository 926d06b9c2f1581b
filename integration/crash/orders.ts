/**
 * The input of the crash test: orders, and payments of most of them. Each depends on the seed, its partition and its
 * place there alone.
 */
import { seededHash } from './seeded-hash.ts';

export interface Order {
  /** Names the record: its place times the number of partitions, plus the partition. */
  readonly id: number;
  readonly region: string;
  readonly cents: number;
  /** Event time, in ms since the epoch. */
  readonly timestampMs: number;
}

export interface Payment {
  /** Of none, where it is negative. */
  readonly orderId: number;
  readonly paid: number;
  /** Event time, in ms since the epoch. */
  readonly timestampMs: number;
}

/** Both topics have as many partitions, and as many records in each. */
export interface OrderStream {
  readonly seed: number;
  readonly partitions: number;
  readonly ordersPerPartition: number;
}

/** How much earlier than one before it in its partition an order may be: `delay` of the jobs' watermark. */
export const DISORDER_MS = 2000;
/** So much later than its order a payment comes, at most. */
const PAYMENT_AFTER_MS = 1500;
export const PAYMENT_DISORDER_MS = DISORDER_MS + PAYMENT_AFTER_MS;
/** A payment stands so many places behind its order. */
const PAYMENT_LAG = 50;

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

/** Three of four belong to an order of the neighbouring partition; the first orders are paid again and again. */
export function paymentAt(stream: OrderStream, partition: number, index: number): Payment {
  const chance = seededHash(stream.seed, partition, index, 3);
  const order = orderAt(stream, (partition + 1) % stream.partitions, Math.max(0, index - PAYMENT_LAG));
  return {
    orderId: chance % 4 === 0 ? -1 - order.id : order.id,
    paid: 1 + (seededHash(chance, 4) % MAX_CENTS),
    timestampMs: order.timestampMs + (seededHash(chance, 5) % PAYMENT_AFTER_MS),
  };
}

/** As the topic holds it. */
export function paymentText({ orderId, paid, timestampMs }: Payment): string {
  return JSON.stringify({ orderId, paid, at: new Date(timestampMs).toISOString() });
}

/** As the topic holds it. */
export function orderText({ id, region, cents, timestampMs }: Order): string {
  return JSON.stringify({ id, region, cents, ts: new Date(timestampMs).toISOString() });
}

/** All orders, or all payments, partition by partition. */
export function* all<T>(
  stream: OrderStream,
  recordAt: (stream: OrderStream, partition: number, index: number) => T,
): Generator<T> {
  for (let partition = 0; partition < stream.partitions; partition++) {
    for (let index = 0; index < stream.ordersPerPartition; index++) yield recordAt(stream, partition, index);
  }
}
