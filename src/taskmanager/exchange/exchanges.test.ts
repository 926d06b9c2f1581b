import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, hashRows, keyGroupOf, rowsOf, subtaskOfKeyGroup, types } from '../../core/index.ts';
import type { ColumnBatch, Value } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import type { Exchange } from '../../graph/index.ts';
import type { ControlElement, InputChannel, OutputChannel } from './channel.ts';
import { DataLink } from './data-link.ts';
import { SpreadingWriter } from './edge-writer.ts';
import { LocalChannel } from './local-channel.ts';
import { createPartitioner } from './partitioner.ts';
import { RemoteInput, RemoteOutput } from './remote-channel.ts';

const schema = {
  fields: [
    { name: 'n', type: types.long },
    { name: 'text', type: types.string },
  ],
};
const limits = { credits: 2, frameBytes: 32 * 1024 };
const end: ControlElement = { kind: 'end-of-input' };
const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One receiving end that is emptied by hand. */
interface Receiver {
  readonly input: InputChannel;
  readonly rows: Value[][];
  hasEnded: boolean;
}

function open(exchange: Exclude<Exchange, { kind: 'forward' }>, targets: number, kind: 'local' | 'remote') {
  const links = [new DataLink(), new DataLink()] as const;
  const { port1, port2 } = nodePorts.channels.create();
  links[0].connect(port1);
  links[1].connect(port2);
  const receivers: Receiver[] = [];
  const outputs: OutputChannel[] = [];
  for (let target = 0; target < targets; target++) {
    const local = kind === 'local' ? new LocalChannel(schema, limits) : null;
    outputs.push(local ?? new RemoteOutput(links[0], target, schema, limits));
    receivers.push({ input: local ?? new RemoteInput(links[1], target, schema), rows: [], hasEnded: false });
  }
  const partitioner = createPartitioner(exchange, targets, 128, 0);
  const writer = new SpreadingWriter(outputs, partitioner, exchange.kind !== 'broadcast');
  return {
    writer,
    outputs,
    receivers,
    close: () => {
      for (const link of links) link.close();
    },
  };
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

describe.each(['local', 'remote'] as const)('%s channels', (kind) => {
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
          const { writer, receivers, close } = open(exchange, targets, kind);
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
          close();
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
      { numRuns: 60 },
    );
  });

  it('go on for others while one target stands still, and hold no more than its credits', async () => {
    const targets = 3;
    const { writer, outputs, receivers, close } = open({ kind: 'hash', keys: [0] }, targets, kind);
    const slow = receivers[0] as Receiver;
    let sent = 0;
    let isBlocked = false;
    for (let turn = 0; turn < 400 && !isBlocked; turn++) {
      const batch = numbered(turn * 500, 500);
      writer.offer(batch);
      for (let wait = 0; !writer.pump(); wait++) {
        for (const receiver of receivers.slice(1)) while (receive(receiver));
        await macrotask();
        if (wait > 5) {
          isBlocked = true;
          break;
        }
      }
      sent += isBlocked ? 0 : 500;
    }
    // Blocked by the slow one alone: what it holds is its credits' frames, one that is being gathered, and no more.
    expect(isBlocked).toBe(true);
    expect(outputs.map(({ hasCredit }) => hasCredit)).toEqual([false, true, true]);
    const capacity = outputs[0]?.builder.batch.capacity ?? 0;
    writer.flush();
    for (let wait = 0; wait < 5; wait++) {
      for (const receiver of receivers.slice(1)) while (receive(receiver));
      await macrotask();
    }
    // The others have all their rows of the batches before, and of the one that is stuck.
    const othersDue = targetsOf(numbered(0, sent + 500), targets).filter((target) => target !== 0).length;
    expect((receivers[1]?.rows.length ?? 0) + (receivers[2]?.rows.length ?? 0)).toBe(othersDue);
    expect(sent / targets).toBeLessThan(capacity * (limits.credits + 2));
    while (!writer.pump() || !writer.control(end)) {
      if (!receivers.some(receive)) await macrotask();
    }
    while (!receivers.every(({ hasEnded }) => hasEnded)) if (!receivers.some(receive)) await macrotask();
    expect(receivers.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(sent + 500);
    expect(slow.rows.length).toBeGreaterThan(0);
    close();
  });

  it('send a partial batch that was flushed without credit as soon as there is some', async () => {
    const { writer, outputs, receivers, close } = open({ kind: 'rebalance' }, 1, kind);
    const receiver = receivers[0] as Receiver;
    for (const from of [0, 1, 2]) {
      writer.offer(numbered(from, 1));
      expect(writer.pump()).toBe(true);
      writer.flush();
    }
    expect(outputs[0]?.hasCredit).toBe(false);
    expect(outputs[0]?.builder.isEmpty).toBe(false);
    for (let turn = 0; turn < 200 && receiver.rows.length < 3; turn++) {
      receive(receiver);
      await macrotask();
    }
    expect(receiver.rows.map(([n]) => n)).toEqual([0n, 1n, 2n]);
    close();
  });

  it('let control elements wait for credit like batches', async () => {
    const { writer, receivers, close } = open({ kind: 'rebalance' }, 1, kind);
    const marker: ControlElement = { kind: 'watermark', timestampMs: 1, idle: false };
    expect([writer.control(marker), writer.control(marker), writer.control(marker)]).toEqual([true, true, false]);
    const receiver = receivers[0] as Receiver;
    let isSent = false;
    for (let turn = 0; turn < 200 && !isSent; turn++) {
      receive(receiver);
      await macrotask();
      isSent = writer.control(marker);
    }
    expect(isSent).toBe(true);
    close();
  });
});

describe('a remote channel', () => {
  it('uses the buffers that come back', async () => {
    const { writer, receivers, close } = open({ kind: 'rebalance' }, 1, 'remote');
    const receiver = receivers[0] as Receiver;
    const buffers = new Set<number>();
    // A buffer is recognised by a mark behind its frame: it is transferred, so it has no identity of its own.
    const { input } = receiver;
    for (let turn = 0; turn < 40; turn++) {
      writer.offer(numbered(turn * 100, 100));
      expect(writer.pump()).toBe(true);
      writer.flush();
      for (let wait = 0; wait < 200; wait++) {
        const element = input.next();
        if (element?.kind === 'batch') {
          const column = element.batch.columns[0];
          if (column?.kind !== 'long') throw new Error('the first column is a long');
          const { buffer } = column.values;
          const mark = new Int32Array(buffer, buffer.byteLength - 4, 1);
          if (mark[0] === 0) mark[0] = turn + 1;
          buffers.add(mark[0] ?? 0);
          input.release();
          break;
        }
        await macrotask();
      }
      await macrotask();
    }
    expect(buffers.size).toBeLessThanOrEqual(limits.credits);
    close();
  });

  it('keeps what arrives before its receiver is there, and drops what arrives after it has gone', async () => {
    const links = [new DataLink(), new DataLink()] as const;
    const output = new RemoteOutput(links[0], 5, schema, limits);
    output.builder.append(numbered(0, 3), null, 0, 3);
    output.sendBatch();
    output.sendControl(end);
    const { port1, port2 } = nodePorts.channels.create();
    links[1].connect(port2);
    links[0].connect(port1);
    for (let turn = 0; turn < 20; turn++) await macrotask();
    const receiver: Receiver = { input: new RemoteInput(links[1], 5, schema), rows: [], hasEnded: false };
    while (receive(receiver));
    expect(receiver).toMatchObject({ hasEnded: true });
    expect(receiver.rows).toHaveLength(3);
    receiver.input.close();
    for (let turn = 0; turn < 200 && !output.hasCredit; turn++) await macrotask();
    output.builder.append(numbered(0, 3), null, 0, 3);
    output.sendBatch();
    for (let turn = 0; turn < 20; turn++) await macrotask();
    expect(receiver.input.next()).toBeNull();
    for (const link of links) link.close();
  });
});
