/**
 * Compares output topics as multisets of rows, of changelogs the final row per key: each row is brought to one spelling
 * (fields by name, numbers as exact decimals, timestamps as epoch milliseconds), hashed, and the hashes are added, so
 * that order does not count. Reads committed records with kafkajs, which shares nothing with the engine's own decoding.
 */
import { createHash } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { committedEnds } from './committed-ends.ts';

export interface Multiset {
  /** Rows that count: of a changelog, keys that have one. */
  readonly count: number;
  /** All records. */
  readonly records: number;
  /** Of all values. */
  readonly valueBytes: number;
  /** The sum of the rows' 128-bit hashes. */
  readonly sum: string;
  /** A few rows, to show where sets differ. */
  readonly sample: readonly string[];
}

const SAMPLE_SIZE = 3;
const IDLE_LIMIT_MS = 30_000;

/** Of a changelog the last record of a key counts, in a partition; without a value, none does. */
export async function readMultiset(
  brokers: string,
  topic: string,
  upsertKey: readonly string[] | null = null,
): Promise<Multiset> {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bench-compare', logLevel: logLevel.NOTHING });
  const ends = await committedEnds(brokers, topic);
  const open = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
  const rows = new RowSums(upsertKey);
  if (open.size > 0) await consumeAll(kafka, topic, ends, open, (record) => rows.add(record));
  return rows.total();
}

/** Key and value are texts of JSON, or null. */
export interface OutputRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
}

export class RowSums {
  readonly #upsertKey: readonly string[] | null;
  /** Hashes of the newest rows. */
  readonly #newest = new Map<string, bigint>();
  readonly #sample: string[] = [];
  #count = 0;
  #records = 0;
  #valueBytes = 0;
  #sum = 0n;

  constructor(upsertKey: readonly string[] | null) {
    this.#upsertKey = upsertKey;
  }

  add({ partition, key, value }: OutputRecord): void {
    this.#records++;
    if (value !== null) this.#valueBytes += Buffer.byteLength(value);
    const row = value === null ? null : canonicalRow(value);
    if (row !== null && this.#sample.length < SAMPLE_SIZE) this.#sample.push(row);
    if (this.#upsertKey !== null) {
      // Between partitions there is no order: a key in two of them counts twice, and so is found.
      const id = `${partition}\u0001${this.#keyOf(this.#upsertKey, key)}`;
      this.#count -= this.#remove(id);
      if (row !== null) this.#newest.set(id, hashOf(row));
    } else if (row === null) {
      throw new Error('a record without a value where every record counts');
    }
    if (row === null) return;
    this.#count++;
    this.#sum += hashOf(row);
  }

  #keyOf(fields: readonly string[], key: string | null): string {
    if (key === null) throw new Error('a record of a changelog has no key');
    const row = canonicalRow(key);
    const names = row.split('\u0001').map((entry) => entry.slice(0, entry.indexOf('=')));
    if (names.join() !== [...fields].sort().join()) throw new Error(`a key with ${names.join()}, not ${fields.join()}`);
    return row;
  }

  #remove(id: string): number {
    const before = this.#newest.get(id);
    if (before === undefined) return 0;
    this.#newest.delete(id);
    this.#sum -= before;
    return 1;
  }

  total(): Multiset {
    return {
      count: this.#count,
      records: this.#records,
      valueBytes: this.#valueBytes,
      sum: BigInt.asUintN(128, this.#sum).toString(16),
      sample: this.#sample,
    };
  }
}

const hashOf = (row: string): bigint => BigInt(`0x${createHash('md5').update(row).digest('hex')}`);

async function consumeAll(
  kafka: Kafka,
  topic: string,
  ends: ReadonlyMap<number, number>,
  open: Set<number>,
  onRecord: (record: OutputRecord) => void,
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
      // Batches of control records alone, such as the end of a transaction, come only here.
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
        watch();
        if (Number(lastOffset) + 1 >= (ends.get(partition) ?? 0)) open.delete(partition);
        if (open.size === 0) resolve();
      });
      consumer
        .run({
          autoCommit: false,
          eachBatch: ({ batch }) => {
            watch();
            for (const { key, value } of batch.messages) {
              onRecord({ partition: batch.partition, key: key && String(key), value: value && String(value) });
            }
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
