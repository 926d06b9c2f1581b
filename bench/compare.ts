/**
 * Compares output topics as multisets of rows: each row is brought to one spelling (fields by name, numbers as exact
 * decimals, timestamps as epoch milliseconds), hashed, and the hashes are added, which does not depend on order. Reads
 * with kafkajs, which shares nothing with the engine's own decoding.
 */
import { createHash } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';

export interface Multiset {
  readonly count: number;
  /** Of all values. */
  readonly valueBytes: number;
  /** The sum of the rows' 128-bit hashes. */
  readonly sum: string;
  /** A few rows, to show where sets differ. */
  readonly sample: readonly string[];
}

const SAMPLE_SIZE = 3;
const IDLE_LIMIT_MS = 30_000;

export async function readMultiset(brokers: string, topic: string): Promise<Multiset> {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench-compare', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const ends = new Map(offsets.map((o) => [o.partition, BigInt(o.high)]));
  const open = new Set([...ends].filter(([, end]) => end > 0n).map(([partition]) => partition));
  let count = 0;
  let valueBytes = 0;
  let sum = 0n;
  const sample: string[] = [];
  if (open.size > 0) {
    await consumeAll(kafka, topic, ends, open, (value) => {
      const row = canonicalRow(value);
      if (sample.length < SAMPLE_SIZE) sample.push(row);
      count++;
      valueBytes += Buffer.byteLength(value);
      sum = BigInt.asUintN(128, sum + BigInt(`0x${createHash('md5').update(row).digest('hex')}`));
    });
  }
  return { count, valueBytes, sum: sum.toString(16), sample };
}

async function consumeAll(
  kafka: Kafka,
  topic: string,
  ends: ReadonlyMap<number, bigint>,
  open: Set<number>,
  onValue: (value: string) => void,
): Promise<void> {
  const consumer = kafka.consumer({
    groupId: `bench-compare-${topic}-${process.pid}`,
    readUncommitted: false,
    maxBytesPerPartition: 4 << 20,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(new Error(`no more records of ${topic} within 30 s`)), IDLE_LIMIT_MS);
      };
      watch();
      consumer
        .run({
          autoCommit: false,
          eachBatch: ({ batch }) => {
            watch();
            for (const message of batch.messages) onValue(String(message.value));
            // The last offsets may be control records, which kafkajs does not show: the batch's own end counts.
            if (BigInt(batch.lastOffset()) + 1n >= (ends.get(batch.partition) ?? 0n)) open.delete(batch.partition);
            if (open.size === 0) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
}

const TIMESTAMP = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?$/;

/** One spelling per row: `name=value` in the order of names. */
export function canonicalRow(json: string): string {
  // Numbers are kept as text, so that no decimal is rounded on the way.
  const row = JSON.parse(json, function keepNumbers(_key, value: unknown, context?: { source?: string }) {
    return typeof value === 'number' ? { number: canonicalNumber(context?.source ?? String(value)) } : value;
  } as (key: string, value: unknown) => unknown) as Record<string, unknown>;
  return Object.keys(row)
    .sort()
    .map((name) => `${name}=${canonicalValue(row[name])}`)
    .join('\u0001');
}

function canonicalValue(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'object' && 'number' in value) return String(value.number);
  if (typeof value === 'string' && TIMESTAMP.test(value)) {
    const utc = value.replace(' ', 'T');
    return `t${Date.parse(utc.endsWith('Z') ? utc : `${utc}Z`)}`;
  }
  return JSON.stringify(value);
}

/** 1.50, 1.5 and 15e-1 are all `n15e-1`; every zero is `n0e0`. */
export function canonicalNumber(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) throw new Error(`not a JSON number: ${text}`);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return 'n0e0';
  return `n${sign}${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`;
}
