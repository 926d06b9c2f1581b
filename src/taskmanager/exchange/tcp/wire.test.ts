import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, MAX_WATERMARK_MS, toMillraceError, types } from '../../../core/index.ts';
import type { DirectSocket } from '../../../core/index.ts';
import { BatchEncoder } from '../batch-codec.ts';
import type { ControlElement } from '../channel.ts';
import { decodeControl, encodeControl } from './control-codec.ts';
import { HEADER_BYTES, messageKinds } from './wire.ts';
import { READ_AHEAD_BYTES, WireReader } from './wire-reader.ts';
import type { WireEvents } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** A socket that keeps what is written; the system takes it when told to. */
class KeepingSocket implements DirectSocket {
  readonly writes: Uint8Array[][] = [];
  queuedBytes = 0;
  isSlow = false;
  #written: (() => void)[] = [];

  write(parts: readonly Uint8Array[], written: () => void = () => undefined): void {
    // Copied only once it is taken: what changes before that shows.
    this.writes.push([...parts]);
    if (!this.isSlow) this.#taken(this.writes.length - 1);
    else this.queuedBytes += parts.reduce((sum, { length }) => sum + length, 0);
    this.#written.push(written);
  }

  take(): void {
    this.writes.forEach((_, index) => {
      this.#taken(index);
    });
    this.queuedBytes = 0;
    for (const written of this.#written.splice(0)) written();
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.writes.flat());
  }

  end(): void {
    this.queuedBytes = 0;
  }

  close(): void {
    this.queuedBytes = 0;
  }

  #taken(index: number): void {
    this.writes[index] = (this.writes[index] ?? []).map((part) => part.slice());
  }
}

interface Message {
  readonly kind: number;
  readonly channel: number;
  readonly body: string;
}

class Recorder implements WireEvents {
  readonly messages: Message[] = [];
  largest = 0;

  frameBuffer(_channel: number, size: number): ArrayBuffer {
    this.largest = Math.max(this.largest, size);
    return new ArrayBuffer(size + READ_AHEAD_BYTES);
  }

  frameArrived(channel: number, frame: ArrayBuffer, size: number): void {
    const body = Buffer.from(new Uint8Array(frame, 0, size)).toString('hex');
    this.messages.push({ kind: messageKinds.frame, channel, body });
  }

  messageArrived(kind: number, _flags: number, channel: number, body: Uint8Array): void {
    this.messages.push({ kind, channel, body: Buffer.from(body).toString('hex') });
  }
}

/** Gives a reader bytes in reads of these sizes, over and over. */
function read(reader: WireReader, bytes: Uint8Array, sizes: readonly number[]): void {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const into = reader.buffer();
    const count = Math.min(into.length, sizes[turn % sizes.length] ?? 1, bytes.length - at);
    into.set(bytes.subarray(at, at + count));
    reader.received(count);
    at += count;
  }
}

const sent = fc.record({
  kind: fc.constantFrom(messageKinds.frame, messageKinds.control, messageKinds.credit),
  channel: fc.nat(0xffffffff),
  body: fc.oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 60 }) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1000, maxLength: 9000 }) },
  ),
});
const readSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70_000 })), {
  minLength: 1,
});

function write(writer: WireWriter, { kind, channel, body }: { kind: number; channel: number; body: Uint8Array }): void {
  if (kind === messageKinds.frame) writer.large(kind, channel, body);
  else writer.message(kind, 0, channel, body.subarray(0, 2048));
}

const asMessage = ({ kind, channel, body }: { kind: number; channel: number; body: Uint8Array }): Message => {
  const kept = kind === messageKinds.frame ? body : body.subarray(0, 2048);
  return { kind, channel, body: Buffer.from(kept).toString('hex') };
};

describe('messages over TCP', () => {
  it('arrive as they were sent, however they are cut and whenever the system takes them', () => {
    const many = fc.array(sent, { maxLength: 40 });
    fc.assert(
      fc.property(many, readSizes, fc.boolean(), fc.infiniteStream(fc.nat(5)), (all, sizes, isChecked, choices) => {
        const socket = new KeepingSocket();
        const writer = new WireWriter(socket, isChecked);
        for (const each of all) {
          const choice = choices.next().value as number;
          socket.isSlow = choice > 2;
          write(writer, each);
          if (choice % 2 === 0) writer.flush();
          if (choice === 5) socket.take();
        }
        socket.take();
        writer.flush();
        socket.take();
        const recorder = new Recorder();
        read(new WireReader(recorder), socket.bytes, sizes);
        expect(recorder.messages).toEqual(all.map(asMessage));
      }),
    );
  });

  it('go together where they are small, and at once where much stands for them', async () => {
    const socket = new KeepingSocket();
    const writer = new WireWriter(socket, true);
    for (let index = 0; index < 20; index++) writer.message(messageKinds.credit, 0, index);
    expect(socket.writes).toHaveLength(0);
    await Promise.resolve();
    expect(socket.writes.map((parts) => parts.length)).toEqual([1]);
    writer.message(messageKinds.credit, 0, 1, undefined, 64 * 1024);
    expect(socket.writes).toHaveLength(2);
    writer.large(messageKinds.frame, 1, new Uint8Array(64 * 1024));
    expect(socket.writes.at(-1)).toHaveLength(2);
  });

  it('that are damaged are refused', () => {
    const all = fc.array(sent, { minLength: 1, maxLength: 8 });
    const change = fc.integer({ min: 1, max: 255 });
    fc.assert(
      fc.property(all, readSizes, fc.nat(), change, (messages, sizes, place, bits) => {
        const socket = new KeepingSocket();
        const writer = new WireWriter(socket, true);
        writer.message(messageKinds.ping, 0, 0);
        for (const each of messages) write(writer, each);
        writer.flush();
        const bytes = socket.bytes.slice();
        const at = HEADER_BYTES + (place % (bytes.length - HEADER_BYTES));
        bytes[at] = (bytes[at] as number) ^ bits;
        const recorder = new Recorder();
        let code = 'more is awaited';
        try {
          read(new WireReader(recorder), bytes, sizes);
        } catch (error) {
          code = toMillraceError(error).code;
        }
        expect(['MR-TASK-BAD-FRAME', 'more is awaited']).toContain(code);
        const arrived = recorder.messages.slice(1);
        // What precedes the damage has arrived; nothing else has.
        expect(arrived.length).toBeLessThan(messages.length);
        expect(arrived).toEqual(messages.map(asMessage).slice(0, arrived.length));
      }),
    );
  });

  it('of strangers are refused, whatever they are, and take no memory to speak of', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), readSizes, (bytes, sizes) => {
        const refusing: WireEvents = {
          frameBuffer: () => {
            throw Object.assign(new Error('no frames here'), { code: 'MR-TASK-BAD-FRAME' });
          },
          frameArrived: () => undefined,
          messageArrived: () => undefined,
        };
        try {
          read(new WireReader(refusing), bytes, sizes);
        } catch (error) {
          expect(toMillraceError(error).code).toBe('MR-TASK-BAD-FRAME');
        }
      }),
    );
  });

  it.each([
    ['a frame beyond all limits', messageKinds.frame, 0xffffffff],
    ['a frame just beyond the limit', messageKinds.frame, 256 * 1024 * 1024 + 1],
    ['a small message that is none', messageKinds.control, 2049],
    ['one of no known kind that is large', 77, 100_000],
  ])('refuse %s before there is memory for it', (_name, kind, size) => {
    const header = new Uint8Array(HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(0, size, true);
    header[4] = kind;
    const recorder = new Recorder();
    expect(() => {
      read(new WireReader(recorder), header, [16]);
    }).toThrow(expect.objectContaining({ code: 'MR-TASK-BAD-FRAME' }));
    expect(recorder.largest).toBe(0);
  });

  it('hold a batch of one row that is larger than any buffer', () => {
    const schema = { fields: [{ name: 'text', type: types.string }] };
    const batch = batchOf(schema, [['x'.repeat(300_000)]]);
    const encoder = new BatchEncoder(schema);
    const frame = new ArrayBuffer(encoder.measure(batch));
    encoder.encode(batch, frame, frame.byteLength);
    const socket = new KeepingSocket();
    const writer = new WireWriter(socket, true);
    writer.large(messageKinds.frame, 1, new Uint8Array(frame));
    const recorder = new Recorder();
    read(new WireReader(recorder), socket.bytes, [64 * 1024]);
    expect(recorder.messages[0]?.body).toBe(Buffer.from(frame).toString('hex'));
  });
});

describe('control elements', () => {
  const timestamp = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(-Infinity, MAX_WATERMARK_MS, -0, 0),
    fc.double({ noNaN: true, max: MAX_WATERMARK_MS }),
  );
  const element: fc.Arbitrary<ControlElement> = fc.oneof(
    fc.record({ kind: fc.constant('watermark' as const), timestampMs: timestamp, idle: fc.boolean() }),
    fc.record(
      {
        kind: fc.constant('barrier' as const),
        checkpointId: fc.maxSafeNat(),
        triggeredAtMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
        mode: fc.constantFrom('aligned' as const, 'unaligned' as const),
      },
      { requiredKeys: ['kind', 'checkpointId', 'triggeredAtMs'] },
    ),
    fc.record({
      kind: fc.constant('latency-marker' as const),
      emittedAtMs: fc.maxSafeNat(),
      stepId: fc.string({ maxLength: 80, unit: 'grapheme' }),
    }),
    fc.constant({ kind: 'end-of-input' as const }),
  );

  it('are the same after their way', () => {
    fc.assert(fc.property(element, (each) => expect(decodeControl(encodeControl(each))).toEqual(each)));
  });

  it('of any other bytes are refused or are elements that can be', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const decoded = decodeControl(bytes);
          if (decoded.kind === 'watermark') expect(decoded.timestampMs <= MAX_WATERMARK_MS).toBe(true);
          if (decoded.kind === 'barrier') expect(Number.isSafeInteger(decoded.checkpointId)).toBe(true);
        } catch (error) {
          expect(toMillraceError(error).code).toBe('MR-TASK-BAD-FRAME');
        }
      }),
    );
  });
});
