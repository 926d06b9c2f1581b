import { describe, expect, it } from '@jest/globals';
import { ColumnBatch, types } from '../../core/index.ts';
import type { StreamElement } from '../../core/index.ts';
import type { InputChannel } from './channel.ts';
import { InputGate } from './input-gate.ts';

class ListChannel implements InputChannel {
  onElement = (): void => undefined;
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

/** What comes out of a gate whose channels hold these elements. */
function drain(...contents: (readonly StreamElement[])[]): string[] {
  const channels = contents.map((elements) => {
    const channel = new ListChannel();
    channel.queue.push(...elements);
    return channel;
  });
  const gate = new InputGate(channels.map((channel, input) => ({ channel, input })));
  const seen: string[] = [];
  for (let element = gate.poll(); element !== null; element = gate.poll()) {
    seen.push(element.kind === 'batch' ? `${show(element)}@${gate.input}` : show(element));
    if (seen.length > 100) throw new Error('no end');
  }
  expect(gate.poll()).toBeNull();
  for (const channel of channels) expect(channel.unreleased).toBe(0);
  return seen;
}

describe('an input gate', () => {
  it('takes batches of its channels in turn, and says which input they are of', () => {
    expect(drain([batch('a'), batch('b'), end], [batch('x'), end])).toEqual(['a@0', 'x@1', 'b@0', 'end-of-input']);
  });

  it('gives a batch back at the next poll, not before', () => {
    const channel = new ListChannel();
    channel.queue.push(batch('a'), batch('b'));
    const gate = new InputGate([{ channel, input: 0 }]);
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
});
