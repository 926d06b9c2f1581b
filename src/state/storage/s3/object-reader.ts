import type { Readable } from 'node:stream';

import { damaged, type ReadableFile } from '../checked-file.ts';
import type { ObjectIdentity, ObjectPlace, ObjectStore } from './object-store.ts';
import type { Patience } from './patience.ts';
import { CutShortError, faultOf } from './s3-fault.ts';
import type { S3Limits } from './s3-limits.ts';

/** An object and what it is called in messages. Nothing is open between two reads but what scan() has. */
export interface ObjectSource {
  readonly store: ObjectStore;
  readonly place: ObjectPlace;
  readonly path: string;
  readonly limits: S3Limits;
}

/**
 * Reads an object from its start to its end through one answer. Where that breaks off it is asked for again from there,
 * as long as the object is still the same one.
 */
export class ObjectScan implements ReadableFile {
  readonly #source: ObjectSource;
  #body: BodyReader | null = null;
  #identity: ObjectIdentity | null = null;
  #position = 0;
  #failuresInRow = 0;

  constructor(source: ObjectSource) {
    this.#source = source;
  }

  /** Of what was read; null before the first read. */
  get identity(): ObjectIdentity | null {
    return this.#identity;
  }

  async read(buffer: Uint8Array, length: number, position: number): Promise<number> {
    if (position !== this.#position) this.#moveTo(position);
    for (;;) {
      try {
        this.#body ??= await this.#open();
        if (this.#body === null) return 0;
        const count = await this.#body.read(buffer, length);
        this.#position += count;
        if (count > 0) this.#failuresInRow = 0;
        return count;
      } catch (error) {
        this.close();
        if (faultOf(error) !== 'transient' || ++this.#failuresInRow >= this.#source.limits.attempts) {
          throw await this.#failure(error);
        }
      }
    }
  }

  close(): void {
    this.#body?.close();
    this.#body = null;
  }

  #moveTo(position: number): void {
    this.close();
    this.#position = position;
  }

  async #open(): Promise<BodyReader | null> {
    const { store, place } = this.#source;
    const body = await store.open(place, { position: this.#position, length: null, identity: this.#identity });
    if (body === null) return null;
    this.#identity ??= { etag: body.etag };
    return new BodyReader(body.stream, body.length, store.patience);
  }

  #failure(error: unknown): Promise<Error> {
    return readFailure(error, this.#source);
  }
}

/** Reads parts of an object that was scanned, here and there; those that are close together at once. */
export class ObjectParts implements ReadableFile {
  readonly #source: ObjectSource;
  readonly #identity: ObjectIdentity | null;
  readonly #sizeBytes: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(source: ObjectSource, sizeBytes: number, identity: ObjectIdentity | null) {
    this.#source = source;
    this.#sizeBytes = sizeBytes;
    this.#identity = identity;
  }

  async read(buffer: Uint8Array, length: number, position: number): Promise<number> {
    const end = Math.min(position + length, this.#sizeBytes);
    if (position >= end) return 0;
    const isInside = position >= this.#windowStart && end <= this.#windowStart + this.#window.length;
    if (!isInside) await this.#load(position, end);
    const from = position - this.#windowStart;
    buffer.set(this.#window.subarray(from, from + end - position));
    return Math.min(end - position, this.#window.length - from);
  }

  close(): void {
    this.#window = new Uint8Array(0);
  }

  async #load(position: number, end: number): Promise<void> {
    const { store, place, limits } = this.#source;
    const length = Math.min(Math.max(end - position, limits.readAheadBytes), this.#sizeBytes - position);
    for (let failures = 0; ; ) {
      try {
        const range = { position, length, identity: this.#identity };
        const body = await store.open(place, range);
        this.#window = body === null ? new Uint8Array(0) : await readAll(body.stream, length, store.patience);
        this.#windowStart = position;
        return;
      } catch (error) {
        if (faultOf(error) !== 'transient' || ++failures >= limits.attempts) {
          throw await readFailure(error, this.#source);
        }
      }
    }
  }
}

/** The body of one answer. */
class BodyReader {
  readonly #stream: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #patience: Patience;
  readonly #length: number | null;
  #chunk: Uint8Array = new Uint8Array(0);
  #count = 0;

  constructor(stream: Readable, length: number | null, patience: Patience) {
    this.#stream = stream;
    // Whoever waits is told; afterwards nobody cares how the connection ends.
    stream.on('error', () => undefined);
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#length = length;
    this.#patience = patience;
  }

  /** 0 at the end. Rejects where the answer ends early, or stalls. */
  async read(buffer: Uint8Array, length: number): Promise<number> {
    while (this.#chunk.length === 0) {
      const next = await this.#patience.await(() => this.#chunks.next());
      if (next.done === true) {
        if (this.#length === null || this.#count === this.#length) return 0;
        throw new CutShortError(`the answer ended after ${this.#count} of ${this.#length} bytes`);
      }
      this.#chunk = next.value;
    }
    const taken = this.#chunk.subarray(0, length);
    buffer.set(taken);
    this.#chunk = this.#chunk.subarray(taken.length);
    this.#count += taken.length;
    return taken.length;
  }

  close(): void {
    this.#stream.destroy();
  }
}

async function readAll(stream: Readable, length: number, patience: Patience): Promise<Uint8Array> {
  const reader = new BodyReader(stream, length, patience);
  try {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let filled = 0; ; ) {
      const count = await reader.read(bytes.subarray(filled), length - filled);
      if (count === 0) return bytes.subarray(0, filled);
      filled += count;
      if (filled === length) return bytes;
    }
  } finally {
    reader.close();
  }
}

/** What a reader of state is told: an object that is gone, or is another one by now, is damage. */
async function readFailure(error: unknown, { store, place, path }: ObjectSource): Promise<Error> {
  switch (faultOf(error)) {
    case 'no-key':
      return damaged(path, 'it is missing');
    case 'precondition':
      return damaged(path, 'it was replaced while it was read');
    default:
      return store.failure(error, 'read', place);
  }
}
