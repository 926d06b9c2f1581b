import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, hashRows, keyGroupOf, rowsOf, subtaskOfKeyGroup, types } from '../../core/index.ts';
import type { ColumnBatch, Value } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { testCertificate } from '../../testing/index.ts';
import type { Exchange } from '../../graph/index.ts';
import type { ControlElement, InputChannel, OutputChannel } from './channel.ts';
import { DataLink } from './data-link.ts';
import type { LinkPort } from './link-port.ts';
import { SpreadingWriter } from './edge-writer.ts';
import { LocalChannel } from './local-channel.ts';
import { createPartitioner } from './partitioner.ts';
import { RemoteInput, RemoteOutput } from './remote-channel.ts';
import { tcpPair } from './fixtures/tcp-pair.ts';
import { ThreadPort } from './thread-port.ts';

const schema = {
  fields: [
    { name: 'n', type: types.long },
    { name: 'text', type: types.string },
  ],
};
/** Either side shows its certificate. */
const tls = { ...testCertificate, passphrase: null, serverName: null, verify: true };
const limits = { credits: 2, frameBytes: 32 * 1024 };
const end: ControlElement = { kind: 'end-of-input' };
const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One receiving end that is emptied by hand. */
interface Receiver {
  readonly input: InputChannel;
  readonly rows: Value[][];
  hasEnded: boolean;
}

type Kind = 'local' | Wire;
type Wire = 'thread' | 'tcp' | 'tls';

async function portsOf(kind: Wire): Promise<readonly [LinkPort, LinkPort]> {
  if (kind !== 'thread') {
    return tcpPair(nodePorts, { limits: { credits: limits.credits }, tls: kind === 'tls' ? tls : null });
  }
  const { port1, port2 } = nodePorts.channels.create();
  return [new ThreadPort(port1), new ThreadPort(port2)];
}

async function connectedLinks(kind: Wire) {
  const links = [new DataLink(), new DataLink()] as const;
  const ports = await portsOf(kind);
  return {
    links,
    connect: () => {
      links[0].connect(ports[0]);
      links[1].connect(ports[1]);
    },
    close: async () => {
      await Promise.all(links.map((link) => link.close()));
    },
  };
}

async function open(exchange: Exclude<Exchange, { kind: 'forward' }>, targets: number, kind: Kind) {
  const connected = kind === 'local' ? null : await connectedLinks(kind);
  const receivers: Receiver[] = [];
  const outputs: OutputChannel[] = [];
  for (let target = 0; target < targets; target++) {
    if (connected === null) {
      const local = new LocalChannel(schema, limits);
      outputs.push(local);
      receivers.push({ input: local, rows: [], hasEnded: false });
    } else {
      const [sending, receiving] = connected.links;
      outputs.push(new RemoteOutput(sending, target, schema, limits));
      receivers.push({ input: new RemoteInput(receiving, target, schema), rows: [], hasEnded: false });
    }
  }
  connected?.connect();
  const partitioner = createPartitioner(exchange, targets, 128, 0);
  const writer = new SpreadingWriter(outputs, partitioner, exchange.kind !== 'broadcast');
  return { writer, outputs, receivers, close: async () => connected?.close() };
}

/** Turns of the event loop until a condition holds. */
async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`waited 20 s until ${what}`);
    await macrotask();
  }
}

/** Takes one element off a receiver; false where none is at hand. */
function receive(receiver: Receiver): boolean {
  const element = receiver.input.next();
  if (element === null) return false;
  if (element.kind === 'batch') receiver.rows.push(...rowsOf(element.batch));
  else if (element.kind === 'end-of-input') receiver.hasEnded = true;
  receiver.input.release();
  return true;
}

const batchSize = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5000 }) },
);

/** Thousands of rows are compared faster as one text. */
const asText = (rows: readonly (readonly Value[])[]): string => rows.map((row) => row.map(String).join(' ')).join('\n');

function numbered(from: number, count: number): ColumnBatch {
  return batchOf(schema, Array.from({ length: count }, (_, index) => [BigInt(from + index), `text ${from + index}`]));
}

/** The target of each row, by the formulas of core. */
function targetsOf(batch: ColumnBatch, targets: number): number[] {
  const hashes = new Int32Array(batch.rowCount);
  hashRows(batch.columns.slice(0, 1), batch.rowCount, hashes);
  return Array.from(hashes, (hash) => subtaskOfKeyGroup(keyGroupOf(hash, 128), 128, targets));
}

describe.each(['local', 'thread', 'tcp', 'tls'] as const)('%s channels', (kind) => {
  it('deliver every row to its target, once and in order, however slow each is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Exclude<Exchange, { kind: 'forward' }>>(
          { kind: 'hash', keys: [0] },
          { kind: 'rebalance' },
          { kind: 'broadcast' },
        ),
        fc.integer({ min: 1, max: 4 }),
        fc.array(batchSize, { maxLength: 8 }),
        fc.infiniteStream(fc.nat(3)),
        async (exchange, targets, sizes, choices) => {
          const { writer, receivers, close } = await open(exchange, targets, kind);
          const choose = (): number => choices.next().value as number;
          const expected: Value[][][] = receivers.map(() => []);
          let next = 0;
          const pump = async (step: () => boolean): Promise<void> => {
            while (!step()) {
              const receiver = receivers[choose() % targets] as Receiver;
              if (!receive(receiver)) await macrotask();
            }
          };
          for (const size of sizes) {
            const batch = numbered(next, size);
            next += size;
            if (exchange.kind === 'hash') {
              const target = targetsOf(batch, targets);
              rowsOf(batch).forEach((row, index) => expected[target[index] ?? 0]?.push(row));
            } else if (exchange.kind === 'broadcast') for (const rows of expected) rows.push(...rowsOf(batch));
            writer.offer(batch);
            await pump(() => writer.pump());
            if (choose() === 0) writer.flush();
          }
          await pump(() => writer.control(end));
          while (!receivers.every(({ hasEnded }) => hasEnded)) {
            if (!receivers.some(receive)) await macrotask();
          }
          await close();
          const got = receivers.map(({ rows }) => rows);
          if (exchange.kind !== 'rebalance') expect(got.map(asText)).toEqual(expected.map(asText));
          else {
            const numbers = got.map((rows) => rows.map(([n]) => Number(n)));
            for (const each of numbers) expect(each.every((n, at) => at === 0 || n > (each[at - 1] ?? n))).toBe(true);
            const all = numbers.flat().sort((a, b) => a - b);
            expect(all.join()).toBe(Array.from({ length: next }, (_, n) => n).join());
          }
        },
      ),
      { numRuns: kind === 'tls' ? 15 : 40 },
    );
  });

  it('go on for others while one target stands still, and hold no more than its credits', async () => {
    const targets = 3;
    const { writer, outputs, receivers, close } = await open({ kind: 'hash', keys: [0] }, targets, kind);
    const slow = receivers[0] as Receiver;
    let sent = 0;
    // Blocked by the slow one alone: the others have credit for whatever is left.
    const isBlocked = (): boolean => outputs.every(({ hasCredit }, target) => hasCredit === (target !== 0));
    const isTakenOrBlocked = (): boolean => {
      for (const receiver of receivers.slice(1)) while (receive(receiver));
      return writer.pump() || isBlocked();
    };
    for (;;) {
      writer.offer(numbered(sent, 500));
      await until('it is taken, or waits for the slow one', isTakenOrBlocked);
      if (!writer.pump()) break;
      sent += 500;
    }
    // What it holds is its credits' frames, one that is being gathered, and no more.
    expect(isBlocked()).toBe(true);
    expect(outputs.map(({ hasCredit }) => hasCredit)).toEqual([false, true, true]);
    const capacity = outputs[0]?.builder.batch.capacity ?? 0;
    writer.flush();
    // The others get all their rows of the batches before, and of the one that is stuck.
    const othersDue = targetsOf(numbered(0, sent + 500), targets).filter((target) => target !== 0).length;
    await until('the others have theirs', () => {
      for (const receiver of receivers.slice(1)) while (receive(receiver));
      return (receivers[1]?.rows.length ?? 0) + (receivers[2]?.rows.length ?? 0) === othersDue;
    });
    expect(sent / targets).toBeLessThan(capacity * (limits.credits + 2));
    while (!writer.pump() || !writer.control(end)) {
      if (!receivers.some(receive)) await macrotask();
    }
    while (!receivers.every(({ hasEnded }) => hasEnded)) if (!receivers.some(receive)) await macrotask();
    expect(receivers.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(sent + 500);
    expect(slow.rows.length).toBeGreaterThan(0);
    await close();
  });

  it('send a partial batch that was flushed without credit as soon as there is some', async () => {
    const { writer, outputs, receivers, close } = await open({ kind: 'rebalance' }, 1, kind);
    const receiver = receivers[0] as Receiver;
    for (const from of [0, 1, 2]) {
      writer.offer(numbered(from, 1));
      expect(writer.pump()).toBe(true);
      writer.flush();
    }
    expect(outputs[0]?.hasCredit).toBe(false);
    expect(outputs[0]?.builder.isEmpty).toBe(false);
    await until('all three are there', () => {
      receive(receiver);
      return receiver.rows.length === 3;
    });
    expect(receiver.rows.map(([n]) => n)).toEqual([0n, 1n, 2n]);
    await close();
  });

  it('let control elements wait for credit like batches', async () => {
    const { writer, receivers, close } = await open({ kind: 'rebalance' }, 1, kind);
    const marker: ControlElement = { kind: 'watermark', timestampMs: 1, idle: false };
    expect([writer.control(marker), writer.control(marker), writer.control(marker)]).toEqual([true, true, false]);
    const receiver = receivers[0] as Receiver;
    await until('the third is sent', () => {
      receive(receiver);
      return writer.control(marker);
    });
    await close();
  });
});

describe.each(['thread', 'tcp', 'tls'] as const)('a channel over a %s port', (kind) => {
  it('uses its buffers again', async () => {
    const { writer, outputs, receivers, close } = await open({ kind: 'rebalance' }, 1, kind);
    const receiver = receivers[0] as Receiver;
    const buffers = new Set<number>();
    // A buffer is recognised by a mark behind its frame: it is transferred, so it has no identity of its own.
    const { input } = receiver;
    for (let turn = 0; turn < 40; turn++) {
      writer.offer(numbered(turn * 100, 100));
      expect(writer.pump()).toBe(true);
      writer.flush();
      await until('it has arrived', () => {
        const element = input.next();
        if (element?.kind !== 'batch') return false;
        const column = element.batch.columns[0];
        if (column?.kind !== 'long') throw new Error('the first column is a long');
        const { buffer } = column.values;
        const mark = new Int32Array(buffer, buffer.byteLength - 4, 1);
        if (mark[0] === 0) mark[0] = turn + 1;
        buffers.add(mark[0] ?? 0);
        input.release();
        return true;
      });
      await until('its credit is back', () => outputs[0]?.hasCredit === true);
    }
    expect(buffers.size).toBeLessThanOrEqual(limits.credits);
    await close();
  });

  it('sends what was sent before the link was there, and drops what arrives after its receiver has gone', async () => {
    const { links, connect, close } = await connectedLinks(kind);
    const output = new RemoteOutput(links[0], 5, schema, limits);
    output.builder.append(numbered(0, 3), null, 0, 3);
    output.sendBatch();
    output.sendControl(end);
    const receiver: Receiver = { input: new RemoteInput(links[1], 5, schema), rows: [], hasEnded: false };
    connect();
    await until('all is there', () => {
      receive(receiver);
      return receiver.hasEnded;
    });
    expect(receiver.rows).toHaveLength(3);
    receiver.input.close();
    await until('there is credit', () => output.hasCredit);
    output.builder.append(numbered(0, 3), null, 0, 3);
    output.sendBatch();
    // Another channel's elements follow on the same way.
    const after: Receiver = { input: new RemoteInput(links[1], 6, schema), rows: [], hasEnded: false };
    new RemoteOutput(links[0], 6, schema, limits).sendControl(end);
    await until('what follows is there', () => {
      receive(after);
      return after.hasEnded;
    });
    expect(receiver.input.next()).toBeNull();
    await close();
  });
});

describe('a link', () => {
  it('keeps what arrives before its receiver is there', () => {
    const link = new DataLink();
    link.control(5, end, false);
    const receiver: Receiver = { input: new RemoteInput(link, 5, schema), rows: [], hasEnded: false };
    receive(receiver);
    expect(receiver.hasEnded).toBe(true);
  });
});
