/**
 * Rows per second through a lookup: against a service in this process that takes 5 ms, against an HTTP server on
 * another thread, and out of the cache.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

import { batchOf, parseOptions, rowSchema, types } from '../../src/core/index.ts';
import type { LookupConnector, LookupReader, OperatorContext } from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { catalog } from '../../src/cli/index.ts';
import { createOperator } from '../../src/operators/index.ts';

const BATCH_ROWS = 4096;
const LATENCY_MS = 5;
const SECONDS = 4;

const input = rowSchema([
  { name: 'id', type: types.long },
  { name: 'text', type: types.string },
]);
const keys = rowSchema([{ name: 'id', type: types.long }]);
const schema = rowSchema([
  { name: 'name', type: types.string },
  { name: 'tier', type: types.int },
]);

const slow: LookupConnector = {
  kind: 'lookup',
  name: 'slow',
  doc: '',
  options: {},
  formatUse: 'none',
  example: '',
  check: () => [],
  createReader: (): LookupReader => ({
    batchSize: 1,
    open: () => Promise.resolve(),
    lookup: async (asked) => {
      await nodePorts.clock.sleep(LATENCY_MS);
      return asked.map(([id]) => [[`customer ${(id as bigint).toString()}`, 3]]);
    },
    close: () => Promise.resolve(),
  }),
};

interface Case {
  readonly name: string;
  readonly connector: LookupConnector;
  readonly options: Readonly<Record<string, unknown>>;
  readonly capacity: number;
  /** Different keys; Infinity for a new one per row. */
  readonly keyCount: number;
}

async function run({ name, connector, options, capacity, keyCount }: Case): Promise<void> {
  const { values } = parseOptions(connector.options, options);
  const spec = { stepId: 'l', connector: connector.name, options: values, format: null, keys, schema };
  const operator = createOperator(
    {
      kind: 'lookup',
      stepId: 'l',
      spec,
      code: null,
      keys: [0],
      kept: [0, 1],
      found: [0, 1],
      type: 'left',
      isOrdered: true,
      capacity,
      timeoutMs: 10_000,
      retry: { attempts: 3, initialMs: 100, maxMs: 1000 },
      cache: keyCount === Infinity ? null : { rows: 100_000, ttlMs: null, keepsMissing: true },
      input,
      output: rowSchema([...input.fields, ...schema.fields]),
    },
    undefined,
    new Map([[connector.name, connector]]),
  );
  let rowsOut = 0;
  const output = { ready: true, emit: ({ rowCount }: { readonly rowCount: number }) => void (rowsOut += rowCount) };
  const context = { stepId: 'l', ports: nodePorts, output, errors: fatal, counter: () => ({ value: 0 }) };
  await operator.open(context as unknown as OperatorContext);
  let next = 0;
  const started = performance.now();
  const cpu = process.cpuUsage();
  while (performance.now() - started < SECONDS * 1000) {
    const batch = batchOf(input, Array.from({ length: BATCH_ROWS }, () => [BigInt(next++ % keyCount || next), 'row']));
    await operator.prepare?.(batch, 0);
    for (let row = 0; row < BATCH_ROWS;) {
      const before = rowsOut;
      row = operator.process(batch, row, 0);
      if (row < BATCH_ROWS && rowsOut === before) await operator.waiting?.();
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await operator.close();
  const perRow = (user + system) / rowsOut;
  console.log(`| ${name} | ${Math.round(rowsOut / seconds / 1000)} | ${perRow.toFixed(1)} |`);
}

const fatal = {
  handle(_batch: unknown, _row: number, _stepId: string, error: unknown): never {
    throw error;
  },
};

function serve(): void {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const answerOf = (id: unknown) => ({ name: `customer ${String(id)}`, tier: 3 });
      const asked = body === '' ? null : (JSON.parse(body) as readonly { readonly id: unknown }[]);
      const answer = asked === null ? answerOf(request.url) : asked.map(({ id }) => answerOf(id));
      void nodePorts.clock.sleep(LATENCY_MS).then(() => response.end(JSON.stringify(answer)));
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
}

async function main(): Promise<void> {
  const server = new Worker(new URL(import.meta.url));
  const port = await new Promise<number>((resolve) => server.once('message', resolve));
  const http = catalog.lookups.get('http');
  if (http === undefined) throw new Error('there is no http');
  const url = `http://127.0.0.1:${port}/`;
  console.log('| case | thousand rows/s | CPU-µs per row, of the process |\n|---|---|---|');
  const everyKey = { capacity: 1000, keyCount: Infinity };
  await run({ name: 'a service in the process, 5 ms', connector: slow, options: {}, ...everyKey });
  await run({ name: '… a thousand keys, cached', connector: slow, options: {}, capacity: 1000, keyCount: 1000 });
  const get = { url: `${url}{id}`, connections: 200 };
  await run({ name: 'HTTP GET, 5 ms, 200 connections', connector: http, options: get, ...everyKey });
  const post = { url, method: 'POST', batch: 100 };
  await run({ name: 'HTTP POST of 100 keys, 5 ms', connector: http, options: post, ...everyKey });
  await server.terminate();
}

if (isMainThread) await main();
else serve();
