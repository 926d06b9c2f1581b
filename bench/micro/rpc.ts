/**
 * Calls between two processes: how long one takes, how many go through, and what they cost both sides.
 *
 *     node bench/micro/rpc.ts [calls per case]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { nodePorts } from '../../src/core/node-ports.ts';
import { openGrpcTransport } from '../../src/rpc/index.ts';
import type { GrpcTransport, ResourceManagerGateway } from '../../src/rpc/index.ts';

/** What is in a message does not matter to the transport. */
interface Message {
  readonly epoch: number;
  readonly payload?: unknown;
}

const SERVE = '--serve';

function open(processId: string): Promise<GrpcTransport> {
  return openGrpcTransport({
    listen: { host: '127.0.0.1', port: 0 },
    token: 'secret',
    tls: null,
    ports: nodePorts,
    callTimeoutMs: 60_000,
    processId,
  });
}

async function serve(): Promise<void> {
  const transport = await open('receiver');
  const gateway = {
    heartbeat: async () => ({ isKnown: true }),
    registerTaskManager: async () => process.cpuUsage(),
  };
  const served = transport.serve('resource-manager', 'rm', gateway as unknown as ResourceManagerGateway);
  process.stdout.write(`${served.address}\n`);
}

/** As large as the description of a slice with many tasks, and as nested. */
function description(): unknown {
  const field = { name: 'amount', type: { kind: 'decimal', precision: 10, scale: 2 } };
  const task = (id: number) => ({ id: `vertex-${id}`, fields: Array.from({ length: 110 }, () => ({ ...field })) });
  return Array.from({ length: 69 }, (_, id) => task(id));
}

function microsecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}

async function measure(address: string, calls: number): Promise<void> {
  const transport = await open('caller');
  const stub = transport.connect('resource-manager', address);
  const beat = (message: Message) => stub.heartbeat(message as never);
  const receiverCpu = async (): Promise<number> =>
    microsecondsOf((await stub.registerTaskManager({ epoch: 1 } as never)) as unknown as NodeJS.CpuUsage);
  const payload = description();
  const bytes = new Uint8Array(200 * 1024);
  const cases: readonly (readonly [string, Message, number])[] = [
    ['small', { epoch: 1 }, 1],
    ['200 KiB of bytes', { epoch: 1, payload: bytes }, 20],
    ['200 KiB of objects', { epoch: 1, payload }, 20],
  ];
  for (const [name, message, fewer] of cases) {
    for (const width of [1, 100]) {
      const count = Math.max(width, Math.round(calls / fewer));
      for (let warm = 0; warm < count / 4; warm++) await beat(message);
      const before = [microsecondsOf(process.cpuUsage()), await receiverCpu()] as const;
      const started = performance.now();
      const each: number[] = [];
      const one = async (): Promise<void> => {
        for (let done = 0; done < count / width; done++) {
          const begun = performance.now();
          await beat(message);
          each.push(performance.now() - begun);
        }
      };
      await Promise.all(Array.from({ length: width }, one));
      const seconds = (performance.now() - started) / 1000;
      const after = [microsecondsOf(process.cpuUsage()), await receiverCpu()] as const;
      each.sort((a, b) => a - b);
      const at = (share: number): string => (each[Math.floor(each.length * share)] ?? 0).toFixed(2);
      const cost = after.map((total, side) => Math.round((total - (before[side] ?? 0)) / each.length));
      process.stdout.write(
        `${name}, ${width} at a time: ${Math.round(each.length / seconds)} calls/s, ` +
          `median ${at(0.5)} ms, p99 ${at(0.99)} ms, CPU µs per call ${cost.join(' + ')}\n`,
      );
    }
  }
  await transport.close();
}

if (process.argv.includes(SERVE)) {
  await serve();
} else {
  const calls = Number(process.argv[2] ?? '20000');
  const program = [fileURLToPath(import.meta.url), SERVE];
  const receiver = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [address] = (await once(createInterface(receiver.stdout), 'line')) as [string];
  await measure(address, calls);
  receiver.kill();
}
