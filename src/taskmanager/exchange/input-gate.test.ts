import { describe, expect, it } from '@jest/globals';
import { batchOf, ColumnBatch, MAX_WATERMARK_MS, rowsOf, stepId, types } from '../../core/index.ts';
import type { StreamElement } from '../../core/index.ts';
import { ManualClock } from '../../testing/index.ts';
import { BatchDecoder } from './batch-codec.ts';
import type { InputChannel } from './channel.ts';
import { InputGate } from './input-gate.ts';
import type { GateOptions } from './input-gate.ts';
import { LocalChannel } from './local-channel.ts';

class ListChannel implements InputChannel {
  onElement = (): void => undefined;
  onBarrier = (): void => undefined;
  readonly queue: StreamElement[] = [];
  unreleased = 0;
  next(): StreamElement | null {
    const element = this.queue.shift() ?? null;
    if (element !== null) this.unreleased++;
    return element;
  }
  release(): void {
    this.unreleased--;
  }
  close(): void {
    this.queue.length = 0;
  }
}

const watermark = (timestampMs: number, idle = false): StreamElement => ({ kind: 'watermark', timestampMs, idle });
const barrier = (checkpointId: number): StreamElement => ({ kind: 'barrier', checkpointId, triggeredAtMs: 0 });
const end: StreamElement = { kind: 'end-of-input' };
const batches = new Map<string, StreamElement>();
const batch = (name: string): StreamElement => {
  const schema = { fields: [{ name, type: types.int }] };
  const known = batches.get(name) ?? { kind: 'batch', batch: new ColumnBatch(schema, 1) };
  batches.set(name, known);
  return known;
};

function show(element: StreamElement): string {
  switch (element.kind) {
    case 'batch':
      return element.batch.schema.fields[0]?.name ?? '';
    case 'watermark':
      return `w${element.timestampMs}${element.idle ? ' idle' : ''}`;
    case 'barrier':
      return `b${element.checkpointId}`;
    default:
      return element.kind;
  }
}

function gateOf(contents: readonly (readonly StreamElement[])[], options: Partial<GateOptions> = {}) {
  const channels = contents.map((elements) => {
    const channel = new ListChannel();
    channel.queue.push(...elements);
    return channel;
  });
  const clock = new ManualClock();
  const gate = new InputGate(
    channels.map((channel, input) => ({ channel, input, overtakable: null })),
    { clock, isAligning: true, restoredWatermarkMs: -Infinity, ...options },
  );
  return { gate, channels, clock };
}

/** What a gate has at hand. */
function poll(gate: InputGate): string[] {
  const seen: string[] = [];
  for (let element = gate.poll(); element !== null; element = gate.poll()) {
    seen.push(element.kind === 'batch' ? `${show(element)}@${gate.input}` : show(element));
    if (seen.length > 100) throw new Error('no end');
  }
  expect(gate.poll()).toBeNull();
  return seen;
}

/** What comes out of a gate whose channels hold these elements. */
function drain(...contents: (readonly StreamElement[])[]): string[] {
  const { gate, channels } = gateOf(contents);
  const seen = poll(gate);
  for (const channel of channels) expect(channel.unreleased).toBe(0);
  return seen;
}

describe('an input gate', () => {
  it('takes batches of its channels in turn, and says which input they are of', () => {
    expect(drain([batch('a'), batch('b'), end], [batch('x'), end])).toEqual(['a@0', 'x@1', 'b@0', 'end-of-input']);
  });

  it('gives a batch back at the next poll, not before', () => {
    const { gate, channels } = gateOf([[batch('a'), batch('b')]]);
    const [channel] = channels as [ListChannel];
    gate.poll();
    expect(channel.unreleased).toBe(1);
    gate.poll();
    expect(channel.unreleased).toBe(1);
    gate.poll();
    expect(channel.unreleased).toBe(0);
  });

  it('passes the least watermark on, once, and never back', () => {
    expect(drain([watermark(5), watermark(9)], [watermark(3), watermark(3), watermark(7)])).toEqual(['w3', 'w7']);
    expect(drain([watermark(5), watermark(2), watermark(6)])).toEqual(['w5', 'w6']);
  });

  it('does not wait for idle channels, and is idle when all are', () => {
    expect(drain([watermark(5)], [watermark(3, true)])).toEqual(['w5']);
    expect(drain([watermark(5, true)], [watermark(3, true)])).toEqual(['w5 idle']);
    expect(drain([watermark(5, true), watermark(8)], [watermark(3, true)])).toEqual(['w5 idle', 'w8']);
  });

  it('does not wait for channels that have ended', () => {
    expect(drain([watermark(5)], [watermark(3), end])).toEqual(['w3', 'w5']);
  });

  it('lets a barrier pass when all channels have it, and holds back what follows it', () => {
    expect(drain([barrier(1), batch('late'), end], [batch('x'), batch('y'), barrier(1), end])).toEqual([
      'x@1',
      'y@1',
      'b1',
      'late@0',
      'end-of-input',
    ]);
  });

  it('does not wait for the barrier of a channel that has ended', () => {
    expect(drain([barrier(1), batch('late'), end], [batch('x'), end])).toEqual(['x@1', 'b1', 'late@0', 'end-of-input']);
  });

  it('lets both barrier and watermark pass where the end of a channel releases both', () => {
    expect(drain([watermark(9), barrier(1)], [watermark(3), end])).toEqual(['w3', 'b1', 'w9']);
  });

  it('passes latency markers on from every channel', () => {
    const marker: StreamElement = { kind: 'latency-marker', emittedAtMs: 1, stepId: 's' };
    expect(drain([marker], [marker])).toEqual(['latency-marker', 'latency-marker']);
  });

  it('never falls back behind the event time that it is restored with', () => {
    const { gate } = gateOf([[watermark(5), watermark(9)], [watermark(7)]], { restoredWatermarkMs: 6 });
    expect(poll(gate)).toEqual(['w7']);
  });

  it('does not wait for channels that have sent the last watermark, and sends it when all have', () => {
    const last = watermark(MAX_WATERMARK_MS);
    expect(drain([last], [watermark(3)])).toEqual(['w3']);
    expect(drain([last], [watermark(3, true)])).toEqual(['w3 idle']);
    expect(drain([last, end], [watermark(3), last, end])).toEqual(['w3', `w${MAX_WATERMARK_MS}`, 'end-of-input']);
    expect(drain([last, end], [end])).toEqual([`w${MAX_WATERMARK_MS}`, 'end-of-input']);
  });

  it('says that it is idle before any event time is known, so that others need not wait', () => {
    expect(drain([watermark(-Infinity, true)], [watermark(-Infinity, true)])).toEqual(['w-Infinity idle']);
    expect(drain([watermark(-Infinity, true)], [watermark(4)])).toEqual(['w4']);
  });
});

describe('barriers of a gate', () => {
  it('tell how long the first one waited for the last', () => {
    const { gate, channels, clock } = gateOf([[barrier(1)], []]);
    expect(poll(gate)).toEqual([]);
    clock.advanceTo(30);
    channels[1]?.queue.push(batch('x'), barrier(1));
    expect(poll(gate)).toEqual(['x@1', 'b1']);
    expect(gate.alignmentMs).toBe(30);
  });

  it('hold nothing back where each row need only count at least once', () => {
    const { gate } = gateOf([[barrier(1), batch('late')], [batch('x'), batch('y'), barrier(1)]], { isAligning: false });
    expect(poll(gate)).toEqual(['x@1', 'late@0', 'y@1', 'b1']);
  });

  it('let go of the channels when the checkpoint is aborted, and are dropped from then on', () => {
    const { gate, channels } = gateOf([[barrier(1), batch('a')], []]);
    let calls = 0;
    gate.onElement = () => calls++;
    expect(poll(gate)).toEqual([]);
    gate.abort(1);
    expect(calls).toBe(1);
    expect(poll(gate)).toEqual(['a@0']);
    channels[1]?.queue.push(barrier(1), batch('x'), barrier(2));
    channels[0]?.queue.push(batch('b'), barrier(2));
    expect(poll(gate)).toEqual(['b@0', 'x@1', 'b2']);
  });

  it('are dropped on all channels where the news of the abort comes first', () => {
    const { gate, channels } = gateOf([[barrier(1), batch('a')], [barrier(1), barrier(2)]]);
    gate.abort(1);
    gate.abort(1);
    expect(poll(gate)).toEqual(['a@0']);
    channels[0]?.queue.push(barrier(2));
    expect(poll(gate)).toEqual(['b2']);
  });

  it('do not mind the abort of a checkpoint that has passed', () => {
    const { gate, channels } = gateOf([[barrier(1), barrier(2)], [barrier(1)]]);
    expect(poll(gate)).toEqual(['b1']);
    gate.abort(1);
    channels[1]?.queue.push(barrier(2));
    expect(poll(gate)).toEqual(['b2']);
  });

  it('are overtaken by newer ones, and the older one is dropped where it still comes', () => {
    const { gate, channels } = gateOf([[barrier(1), batch('a'), barrier(2), batch('b')], [], []]);
    const overtaken: number[] = [];
    gate.onOvertaken = (id) => overtaken.push(id);
    expect(poll(gate)).toEqual([]);
    channels[1]?.queue.push(barrier(2), batch('x'));
    expect(poll(gate)).toEqual(['a@0']);
    expect(overtaken).toEqual([1]);
    channels[2]?.queue.push(barrier(1), batch('y'), barrier(2));
    expect(poll(gate)).toEqual(['y@2', 'b2', 'b@0', 'x@1']);
  });

  it('end the alignment of an older one even where the newer one is aborted already', () => {
    const { gate, channels } = gateOf([[barrier(1), batch('a')], []]);
    expect(poll(gate)).toEqual([]);
    gate.abort(2);
    channels[1]?.queue.push(barrier(2), batch('x'));
    expect(poll(gate)).toEqual(['a@0', 'x@1']);
    channels[0]?.queue.push(barrier(2), barrier(3));
    channels[1]?.queue.push(barrier(3));
    expect(poll(gate)).toEqual(['b3']);
  });

  it('are complete when the channels that lack them end, in whatever order', () => {
    expect(drain([end], [barrier(1), batch('x'), end])).toEqual(['b1', 'x@1', 'end-of-input']);
    expect(drain([barrier(1), end], [end], [batch('z'), end])).toEqual(['z@2', 'b1', 'end-of-input']);
  });

  it('keep an ended channel out of the next alignment', () => {
    const { gate, channels } = gateOf([[barrier(1), barrier(2)], [barrier(1), end]]);
    expect(poll(gate)).toEqual(['b1', 'b2']);
    channels[0]?.queue.push(end);
    expect(poll(gate)).toEqual(['end-of-input']);
  });
});

describe('a barrier that overtakes', () => {
  const schema = { fields: [{ name: 'n', type: types.int }] };
  const limits = { credits: 2, frameBytes: 1024 };
  const route = (sender: number) => ({
    ...{ stepId: stepId('s'), input: 0, keys: null, receiver: 0, receivers: 1, schema },
    sender,
  });

  /** Channels, of which the last is one that nothing overtakes; what was recorded, by sender; and how many are open. */
  function overtakableGate(count: number) {
    const channels = Array.from({ length: count }, () => new LocalChannel(schema, limits));
    const aligned = new ListChannel();
    const gate = new InputGate(
      [
        ...channels.map((channel, sender) => ({ channel, input: 0, overtakable: { channel, route: route(sender) } })),
        { channel: aligned, input: 1, overtakable: null },
      ],
      { clock: new ManualClock(), isAligning: true, restoredWatermarkMs: -Infinity },
    );
    const recorded: string[] = [];
    const open = new Set<number>();
    const record = (checkpointId: number): void =>
      gate.record(checkpointId, ({ sender }) => {
        open.add(sender);
        return {
          isOver: false,
          take: (frame) => recorded.push(`${sender}: ${numbers(new BatchDecoder(schema).decode(frame))}`),
          end: () => open.delete(sender),
        };
      });
    return { gate, channels: channels as [LocalChannel, LocalChannel], aligned, recorded, open, record };
  }

  const numbers = (rows: ColumnBatch): string => rowsOf(rows).flat().map(Number).join(' ');
  function send(channel: LocalChannel, ...values: number[]): void {
    channel.builder.append(batchOf(schema, values.map((value) => [value])), null, 0, values.length);
    channel.sendBatch();
  }
  const nobody = { isOver: false, take: () => undefined, end: () => undefined };

  it('takes copies of what is in front of it, and of what comes on channels without it, until it comes', () => {
    const { gate, channels, aligned, recorded, open, record } = overtakableGate(2);
    const [one, two] = channels;
    aligned.queue.push(end);
    send(one, 1, 2);
    send(two, 3);
    one.sendControl(barrier(7) as never);
    gate.overtake(7);
    expect(gate.poll()).toMatchObject({ kind: 'barrier', checkpointId: 7, mode: 'unaligned' });
    record(7);
    expect(recorded).toEqual(['0: 1 2', '1: 3']);
    expect([...open]).toEqual([1]);
    send(two, 4);
    two.overtake({ kind: 'barrier', checkpointId: 7, triggeredAtMs: 0, mode: 'unaligned' }, nobody);
    send(two, 5);
    expect(recorded).toEqual(['0: 1 2', '1: 3', '1: 4']);
    expect([...open]).toEqual([]);
    // All of it is processed all the same, and nothing comes twice.
    const seen: string[] = [];
    for (let element = gate.poll(); element !== null; element = gate.poll()) {
      seen.push(element.kind === 'batch' ? numbers(element.batch) : element.kind);
    }
    expect(seen.sort()).toEqual(['1 2', '3', '4', '5']);
    expect([one.hasCredit, two.hasCredit]).toEqual([true, true]);
  });

  it('waits for channels that it does not overtake, and takes nothing from the others meanwhile', () => {
    const { gate, channels, aligned, recorded, record } = overtakableGate(2);
    const heard: number[] = [];
    gate.onBarrier = ({ checkpointId }) => heard.push(checkpointId);
    send(channels[0], 1);
    channels[0].overtake({ kind: 'barrier', checkpointId: 7, triggeredAtMs: 0, mode: 'unaligned' }, nobody);
    expect(heard).toEqual([7]);
    gate.overtake(7);
    aligned.queue.push(batch('late'));
    expect(gate.poll()).toMatchObject({ kind: 'batch' });
    expect(gate.poll()).toBeNull();
    aligned.queue.push(barrier(7));
    expect(gate.poll()).toMatchObject({ kind: 'barrier', checkpointId: 7, mode: 'unaligned' });
    record(7);
    expect(recorded).toEqual(['0: 1']);
  });

  it('does not overtake once its checkpoint is aborted', () => {
    const { gate, channels, recorded } = overtakableGate(2);
    send(channels[0], 1);
    channels[0].overtake({ kind: 'barrier', checkpointId: 7, triggeredAtMs: 0, mode: 'unaligned' }, nobody);
    gate.overtake(7);
    gate.abort(7);
    expect(gate.poll()).toMatchObject({ kind: 'batch' });
    expect(gate.poll()).toBeNull();
    gate.overtake(7);
    expect(gate.poll()).toBeNull();
    expect(recorded).toEqual([]);
  });
});
