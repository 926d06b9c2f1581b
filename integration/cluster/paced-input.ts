/** Input at a steady pace, by a client that shares no code with the engine, and what a job makes of it. */
import { Partitioners, type Kafka, type Producer } from 'kafkajs';

export const INPUT_PARTITIONS = 4;
const KEYS = 100;
/** The job counts so many records of a key into one row. */
const GROUP = 10;
const TICK_MS = 25;
/** A broker that died is missed after 9 s and more; kafkajs gives up before that, as it counts retries under Jest. */
const RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 600 };

export interface PacedJob {
  readonly name: string;
  readonly brokers: string;
  readonly input: string;
  readonly output: string;
  readonly parallelism: number;
  readonly checkpointIntervalMs: number;
  /** Further lines of the job file. */
  readonly settings: string;
}

/** What the topic of the input holds. */
export interface InputRecord {
  readonly key: string;
  readonly seq: number;
}

/** What the topic of the output holds. */
export interface OutputRow {
  readonly key: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly sum: number;
  /** When the last of its records was sent, in ms since the epoch. */
  readonly at: number;
}

/** Ten records of a key make one row, across a hash exchange: a record that is lost or repeated shifts all after it. */
export function pacedJobFile(job: PacedJob): string {
  const { name, brokers, input, output, parallelism, checkpointIntervalMs, settings } = job;
  return `name: ${name}
parallelism: ${parallelism}
checkpoint: {interval: ${checkpointIntervalMs}ms, timeout: 60s}
restart: {strategy: fixed-delay, delay: 100ms, attempts: 1000}
${settings}
steps:
  - id: in
    source: kafka
    with: {brokers: "${brokers}", topic: ${input}, format: json, fetchWait: 100ms}
    schema: {key: string, seq: long, at: timestamp}
  - id: grouped
    key: [key]
    window: {count: ${GROUP}}
    aggregate: {first: MIN(seq), last: MAX(seq), count: COUNT(*), sum: SUM(seq), at: MAX(at)}
  - id: out
    sink: kafka
    with:
      brokers: "${brokers}"
      topic: ${output}
      format: json
      timestamps: epoch-millis
      key: [key]
      delivery: exactly-once
`;
}

export function canonicalRow({ key, first, last, count, sum }: OutputRow): string {
  return JSON.stringify([key, first, last, count, sum]);
}

/** Records (key, seq) at so many a second, in order per key. */
export class PacedInput {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #perSecond: number;
  readonly #over = new AbortController();
  /** Records of each key. */
  readonly #counts = new Array<number>(KEYS).fill(0);
  #sent = 0;
  #problem: Error | null = null;
  #feeding: Promise<void> = Promise.resolve();

  constructor(kafka: Kafka, topic: string, perSecond: number) {
    this.#producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      // Not idempotent: kafkajs may use sequence numbers anew when a broker dies, is refused for it, and sends no more.
      // What it repeats instead is input like any other.
      maxInFlightRequests: 1,
      retry: RETRY,
    });
    this.#topic = topic;
    this.#perSecond = perSecond;
  }

  async start(): Promise<void> {
    await this.#producer.connect();
    this.#feeding = this.#feed();
    // Whoever stops it is told, and whoever waits for what it should have sent.
    this.#feeding.catch((error: unknown) => {
      this.#problem = error instanceof Error ? error : new Error(String(error));
    });
  }

  /** Throws where it sends no more although it should. */
  check(): void {
    const cause = this.#problem;
    if (cause !== null) throw new Error(`the input has ended: ${cause.message}`, { cause });
  }

  async #feed(): Promise<void> {
    const startedMs = performance.now();
    while (!this.#over.signal.aborted) {
      const due = Math.floor(((performance.now() - startedMs) / 1000) * this.#perSecond);
      await this.#send(due - this.#sent);
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    // Every key gets whole groups.
    const rest = this.#counts.flatMap((count, key) =>
      Array.from({ length: (GROUP - (count % GROUP)) % GROUP }, () => key),
    );
    await this.#write(rest);
  }

  async #send(count: number): Promise<void> {
    const keys: number[] = [];
    for (; count > 0; count--, this.#sent++) {
      const key = this.#sent % KEYS;
      // Keys begin one after the other, so that their groups are not all complete at the same time.
      if (Math.floor(this.#sent / KEYS) >= key % GROUP) keys.push(key);
    }
    await this.#write(keys);
  }

  /** The next record of each of these keys. */
  async #write(keys: readonly number[]): Promise<void> {
    if (keys.length === 0) return;
    const at = Date.now();
    const messages = keys.map((key) => {
      const seq = this.#counts[key] ?? 0;
      this.#counts[key] = seq + 1;
      return { partition: key % INPUT_PARTITIONS, value: JSON.stringify({ key: `k${key}`, seq, at }) };
    });
    await this.#producer.send({ topic: this.#topic, acks: -1, messages });
  }

  /** Resolves once all of it is in the topic. */
  async stop(): Promise<void> {
    this.#over.abort();
    try {
      await this.#feeding;
    } finally {
      await this.#producer.disconnect();
    }
  }
}

/**
 * The rows that belong into the output, by what the topic of the input holds, in its order: a client that asks a broker
 * again as it dies may have written a record twice.
 */
export function expectedRows(inputs: Iterable<InputRecord>): readonly string[] {
  const groups = new Map<string, number[]>();
  const rows: string[] = [];
  for (const { key, seq } of inputs) {
    const group = groups.get(key) ?? [];
    group.push(seq);
    groups.set(key, group);
    if (group.length < GROUP) continue;
    const sum = group.reduce((total, each) => total + each, 0);
    rows.push(canonicalRow({ key, first: Math.min(...group), last: Math.max(...group), count: GROUP, sum, at: 0 }));
    groups.delete(key);
  }
  return rows;
}
