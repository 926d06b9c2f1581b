/**
 * npm run bench -- nexmark q0 q1 q2 q22 --peers flink,kafkajs,raw [--events N] [--parallelism P[,P…]] [--runs N]
 *                  [--delivery exactly-once] [--checkpoint-interval 10s] [--kafka 3.9|4.1] [--brokers HOST:PORT,…]
 *                  [--json FILE] [--markdown FILE]
 * npm run bench -- soak [--events N]
 *
 * Preloads topics once, then runs every system in turn on the same broker, interleaved over the runs, and prints
 * records per wall second and per CPU-second of all processes of each system, as medians with minimum and maximum.
 * Outputs are compared, as multisets or by the final row per key, before a figure counts. A peer that cannot run a
 * query is left out of it.
 */
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { startServices, stopServices } from '../scripts/services/index.ts';
import type { KafkaRelease } from '../scripts/services/index.ts';
import { readMultiset } from './compare.ts';
import type { Multiset } from './compare.ts';
import { queries } from './nexmark/queries.ts';
import type { Query } from './nexmark/queries.ts';
import { createTopic, deleteTopic, preload } from './nexmark/topics.ts';
import { renderTable, rowsOf } from './report.ts';
import type { Row, SystemRuns } from './report.ts';
import { soak } from './soak.ts';
import { flink } from './systems/flink.ts';
import { millrace } from './systems/millrace.ts';
import { kafkajs, raw } from './systems/peers.ts';
import type { Delivery, OutputShape, RunFigures, System } from './systems/system.ts';

const USAGE = `usage: npm run bench -- nexmark QUERY… [--peers flink,kafkajs,raw] [--events N] [--parallelism P[,P]]
                          [--runs N] [--delivery at-least-once|exactly-once] [--checkpoint-interval 10s|none]
                          [--kafka 3.9|4.1] [--brokers HOST:PORT] [--json FILE] [--markdown FILE]
       npm run bench -- soak [--events N] [--json FILE]
queries: ${[...queries.keys()].join(', ')}`;

const peers: ReadonlyMap<string, System> = new Map([flink, kafkajs, raw].map((system) => [system.name, system]));
const SERVICES_NAME = 'bench';

interface Request {
  readonly suite: 'nexmark' | 'soak';
  readonly queries: readonly Query[];
  readonly systems: readonly System[];
  readonly events: number;
  readonly parallelisms: readonly number[];
  readonly runs: number;
  readonly delivery: Delivery;
  readonly kafka: KafkaRelease;
  readonly brokers: string | undefined;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
}

class UsageError extends Error {}

function parseRequest(argv: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      peers: { type: 'string', default: 'flink,kafkajs,raw' },
      events: { type: 'string' },
      parallelism: { type: 'string', default: '1' },
      runs: { type: 'string', default: '5' },
      delivery: { type: 'string', default: 'at-least-once' },
      'checkpoint-interval': { type: 'string' },
      kafka: { type: 'string', default: '3.9' },
      brokers: { type: 'string' },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  const [suite, ...names] = positionals;
  if (suite !== 'nexmark' && suite !== 'soak') throw new UsageError(USAGE);
  if ((suite === 'nexmark') !== names.length > 0) throw new UsageError(USAGE);
  if (values.kafka !== '3.9' && values.kafka !== '4.1') throw new UsageError(`--kafka is 3.9 or 4.1\n${USAGE}`);
  const peerNames = values.peers.split(',').filter((name) => name !== '');
  return {
    suite,
    queries: names.map((name) => known(queries, name, 'query')),
    systems: [millrace, ...peerNames.map((name) => known(peers, name, 'peer'))],
    events: wholeNumber('events', values.events ?? (suite === 'soak' ? '50000000' : '5000000')),
    parallelisms: values.parallelism.split(',').map((text) => wholeNumber('parallelism', text)),
    runs: wholeNumber('runs', values.runs),
    delivery: parseDelivery(values.delivery, values['checkpoint-interval']),
    kafka: values.kafka,
    brokers: values.brokers,
    json: values.json,
    markdown: values.markdown,
  };
}

function known<T>(all: ReadonlyMap<string, T>, name: string, what: string): T {
  const found = all.get(name);
  if (found === undefined) throw new UsageError(`no ${what} ${name}; known: ${[...all.keys()].join(', ')}`);
  return found;
}

/** Exactly-once needs checkpoints: every 10 s, where nothing else is said. */
function parseDelivery(guarantee: string, interval: string | undefined): Delivery {
  if (guarantee !== 'at-least-once' && guarantee !== 'exactly-once') throw new UsageError(USAGE);
  const given = interval ?? (guarantee === 'exactly-once' ? '10s' : 'none');
  if (given === 'none' && guarantee === 'at-least-once') return { guarantee, checkpointIntervalMs: null };
  const [, count, unit] = /^(\d{1,6})(ms|s)$/.exec(given) ?? [];
  if (count === undefined) throw new UsageError(`--checkpoint-interval wants a time such as 10s, not ${given}`);
  return { guarantee, checkpointIntervalMs: wholeNumber('checkpoint-interval', count) * (unit === 's' ? 1000 : 1) };
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${option} wants a whole number, not ${text}`);
  return value;
}

const tell = (text: string) => process.stderr.write(`${text}\n`);

/** Every system once per round, in turn, so that drift of the machine meets all of them alike. */
async function measureQuery(
  request: Request,
  brokers: string,
  query: Query,
  parallelism: number,
): Promise<readonly Row[]> {
  const systems = request.systems.filter((system) => system.supports?.(query) ?? true);
  const inputTopics = await preload(brokers, query.dataset, request.events, tell);
  const runs = new Map<string, RunFigures[]>(systems.map((system) => [system.name, []]));
  let output: OutputShape = { rowBytes: 0, rowsPerRecord: 0 };
  let reference: { readonly system: string; readonly output: Multiset } | null = null;
  for (let round = 0; round < request.runs; round++) {
    for (const system of systems) {
      const outputTopic = `bench-out-${query.name}-${system.name}-${parallelism}-${round}-${Date.now()}`;
      await createTopic(brokers, outputTopic);
      tell(`${query.name} P=${parallelism} round ${round + 1}/${request.runs}: ${system.name}`);
      const figures = await system.run({
        query,
        brokers,
        inputTopics,
        outputTopic,
        events: request.events,
        parallelism,
        delivery: request.delivery,
        output,
      });
      (runs.get(system.name) as RunFigures[]).push(figures);
      if (round === 0 && system !== raw) {
        const rows = await readMultiset(brokers, outputTopic, query.upsertKey);
        reference ??= { system: system.name, output: rows };
        requireEqual(query, reference, { system: system.name, output: rows });
        const { records, valueBytes } = rows;
        if (records === 0) throw new Error(`${query.name}: ${system.name} wrote nothing`);
        tell(`${query.name}: ${system.name} wrote ${records} records, of which ${rows.count} count`);
        output = { rowBytes: Math.round(valueBytes / records), rowsPerRecord: records / request.events };
      }
      await deleteTopic(brokers, outputTopic);
    }
  }
  const all: readonly SystemRuns[] = [...runs].map(([system, figures]) => ({ system, runs: figures }));
  return rowsOf(query.name, parallelism, all);
}

function requireEqual(
  query: Query,
  a: { readonly system: string; readonly output: Multiset },
  b: { readonly system: string; readonly output: Multiset },
): void {
  if (a.output.count === b.output.count && a.output.sum === b.output.sum) return;
  const show = ({ system, output: { count, sample } }: typeof a) =>
    `${system}: ${count} rows, such as\n  ${sample.join('\n  ')}`;
  throw new Error(`${query.name}: outputs differ\n${show(a)}\n${show(b)}`);
}

async function bench(request: Request): Promise<void> {
  for (const system of request.systems) await system.prepare();
  const services = request.brokers === undefined ? await startBenchServices(request.kafka) : null;
  const brokers = request.brokers ?? (services as { brokers: string }).brokers;
  try {
    if (request.suite === 'soak') {
      const result = `${JSON.stringify(await soak(brokers, request.events, tell), null, 2)}\n`;
      process.stdout.write(result);
      if (request.json !== undefined) await writeFile(request.json, result);
      return;
    }
    const rows: Row[] = [];
    for (const parallelism of request.parallelisms) {
      for (const query of request.queries) {
        rows.push(...(await measureQuery(request, brokers, query, parallelism)));
      }
    }
    await report(request, rows);
  } finally {
    if (services !== null) await stopServices(SERVICES_NAME);
  }
}

function startBenchServices(kafka: KafkaRelease) {
  return startServices({ name: SERVICES_NAME, kafka, zookeeper: false, progress: tell });
}

async function report(request: Request, rows: readonly Row[]): Promise<void> {
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const table = renderTable(rows);
  const describe = (system: System) => system.describe(request.parallelisms[0] ?? 1, request.delivery);
  const systems = request.systems.map((system) => `- ${system.name}: ${describe(system)}`).join('\n');
  const text = [
    `Nexmark, ${request.events.toLocaleString('en-US')} events, ${request.runs} interleaved runs: median (min–max).`,
    `Kafka ${request.kafka} with its broker on the same machine: ${machine}.`,
    'Warm leaves out start-up and the first 20 % of the records. CPU is of all processes of a system; the broker is',
    'not counted.',
    '',
    systems,
    '',
    table,
    '',
  ].join('\n');
  process.stdout.write(text);
  if (request.markdown !== undefined) await writeFile(request.markdown, text);
  if (request.json !== undefined) {
    const flat = rows.map((row) => ({
      ...row,
      wallSeconds: row.wallSeconds.median,
      cpuSeconds: row.cpuSeconds.median,
      ...(row.ratioToFlink === undefined ? {} : { ratioToFlink: row.ratioToFlink.median }),
      ...(row.ratioToRaw === undefined ? {} : { ratioToRaw: row.ratioToRaw.median }),
      ...(row.ratioToKafkajs === undefined ? {} : { ratioToKafkajs: row.ratioToKafkajs.median }),
      spreads: { wallSeconds: row.wallSeconds, cpuSeconds: row.cpuSeconds, ratioToFlink: row.ratioToFlink ?? null },
    }));
    await writeFile(request.json, `${JSON.stringify(flat, null, 2)}\n`);
  }
}

try {
  await bench(parseRequest(process.argv.slice(2)));
} catch (error) {
  tell(error instanceof UsageError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
