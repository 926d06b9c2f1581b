/*
 * Kafka's Java clients as an independent opinion: what they read from a topic is what is in it.
 * The program is java/KafkaProbe.java; each call is one JVM.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { ensureJavaProgram, type KafkaRelease } from '../../scripts/services/index.ts';

const PROBE = join(dirname(fileURLToPath(import.meta.url)), 'java', 'KafkaProbe.java');

export interface JavaHeader {
  key: string;
  value: Buffer | null;
}

export interface JavaRecord {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly JavaHeader[];
}

interface WireHeader {
  key: string;
  value: string | null;
}

interface WireRecord {
  partition: number;
  offset: number;
  timestamp: number;
  key: string | null;
  value: string | null;
  headers: WireHeader[];
}

interface Connection {
  brokers: string;
  /** More settings of the Java client, such as those for SASL. */
  config?: Readonly<Record<string, string>>;
  /** Whose clients; default 3.9. */
  clients?: KafkaRelease;
}

export interface JavaConsumeOptions extends Connection {
  topic: string;
  /** Default: read_committed. */
  isolation?: 'read_committed' | 'read_uncommitted';
  /** Waits for so many records beyond the present end of the topic. Default: 0, only what is there. */
  atLeast?: number;
  /** Default: 30 s. */
  timeoutMs?: number;
}

export interface JavaTail {
  /** Rejects where the reader has failed. */
  stop(): Promise<void>;
}

export interface JavaEnd {
  readonly topic: string;
  readonly partition: number;
  /** Up to there a committed reader reads: the first offset of an open transaction, or the end. */
  readonly stable: number;
  readonly end: number;
}

export type JavaOperation =
  | { op: 'begin' | 'commit' | 'abort' | 'flush'; producer: string }
  /** Ends the program at once, leaving open transactions open. */
  | { op: 'crash' }
  | {
      op: 'send';
      producer: string;
      topic: string;
      partition?: number;
      timestamp?: number;
      key?: Buffer | string | null;
      value: Buffer | string | null;
      headers?: readonly JavaHeader[];
    };

export interface JavaProduceOptions extends Connection {
  /** Settings by producer name; one with `transactional.id` is transactional. */
  producers: Readonly<Record<string, Readonly<Record<string, string>>>>;
  operations: Iterable<JavaOperation>;
}

function decodeBytes(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text, 'base64');
}

function encodeBytes(bytes: Buffer | string | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString('base64');
}

async function runProbe(
  clients: KafkaRelease,
  request: object,
  input: Iterable<string> | AsyncIterable<string>,
  onLine: (line: string) => void,
): Promise<void> {
  const program = await ensureJavaProgram(PROBE, `kafka-${clients}`);
  const child = spawn(
    'java',
    [
      '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xmx512m', '-Djava.net.preferIPv4Stack=true',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', program.classPath, program.mainClass,
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const errors: string[] = [];
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // The program may end before it has read everything; its exit code tells.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(request)}\n`);
  for await (const line of input) {
    if (!child.stdin.write(`${line}\n`)) {
      await Promise.race([new Promise((resolve) => child.stdin.once('drain', resolve)), ended]);
    }
  }
  child.stdin.end();
  const code = await ended;
  if (code !== 0) throw new Error(`Kafka's Java client failed (exit code ${String(code)}):\n${errors.join('\n')}`);
}

/** Reads a topic from its beginning to its end, all partitions, each in its order. */
export async function javaConsume(options: JavaConsumeOptions): Promise<JavaRecord[]> {
  const records: JavaRecord[] = [];
  const request = {
    command: 'consume',
    brokers: options.brokers,
    config: options.config ?? {},
    topic: options.topic,
    isolation: options.isolation ?? 'read_committed',
    atLeast: options.atLeast ?? 0,
    timeoutMs: options.timeoutMs ?? 30_000,
  };
  await runProbe(options.clients ?? '3.9', request, [], (line) => {
    records.push(decodeRecord(JSON.parse(line) as WireRecord));
  });
  return records;
}

function decodeRecord(wire: WireRecord): JavaRecord {
  return {
    partition: wire.partition,
    offset: wire.offset,
    timestamp: wire.timestamp,
    key: decodeBytes(wire.key),
    value: decodeBytes(wire.value),
    headers: wire.headers.map((header) => ({ key: header.key, value: decodeBytes(header.value) })),
  };
}

/** As javaConsume, and goes on: every record is told with the time at which it was seen. */
export function javaTail(
  options: Omit<JavaConsumeOptions, 'atLeast' | 'timeoutMs'>,
  onRecord: (record: JavaRecord, seenAtMs: number) => void,
): JavaTail {
  const { brokers, config = {}, topic, isolation = 'read_committed', clients = '3.9' } = options;
  const over = new AbortController();
  const request = { command: 'tail', brokers, config, topic, isolation };
  const ended = runProbe(clients, request, untilAborted(over.signal), (line) => {
    const wire = JSON.parse(line) as WireRecord & { readonly seenAt: number };
    onRecord(decodeRecord(wire), wire.seenAt);
  });
  // Whoever stops it is told.
  ended.catch(() => undefined);
  return {
    stop() {
      over.abort();
      return ended;
    },
  };
}

/** Says nothing, and ends then. */
async function* untilAborted(signal: AbortSignal): AsyncGenerator<string> {
  if (!signal.aborted) await once(signal, 'abort');
  yield* [];
}

/** Where the partitions of topics end. */
export async function javaEnds(options: Connection & { topics: readonly string[] }): Promise<JavaEnd[]> {
  const ends: JavaEnd[] = [];
  const { brokers, topics, config = {} } = options;
  const request = { command: 'ends', brokers, config, topics };
  await runProbe(options.clients ?? '3.9', request, [], (line) => ends.push(JSON.parse(line) as JavaEnd));
  return ends;
}

function* encodeOperations(operations: Iterable<JavaOperation>): Generator<string> {
  for (const operation of operations) {
    if (operation.op !== 'send') {
      yield JSON.stringify(operation);
      continue;
    }
    const headers = operation.headers?.map((header) => ({ key: header.key, value: encodeBytes(header.value) }));
    yield JSON.stringify({
      ...operation,
      key: encodeBytes(operation.key),
      value: encodeBytes(operation.value),
      ...(headers === undefined ? {} : { headers }),
    });
  }
}

/**
 * Carries out the operations in order, on as many producers as are named, and returns where each sent record went;
 * partition and offset are -1 for a record that was not acknowledged before its abort or the crash.
 */
export async function javaProduce(options: JavaProduceOptions): Promise<{ partition: number; offset: number }[]> {
  const sent: { partition: number; offset: number }[] = [];
  const request = {
    command: 'produce',
    brokers: options.brokers,
    config: options.config ?? {},
    producers: options.producers,
  };
  await runProbe(options.clients ?? '3.9', request, encodeOperations(options.operations), (line) => {
    sent.push(JSON.parse(line) as { partition: number; offset: number });
  });
  return sent;
}
