import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';

export interface Sketch<Self> {
  readonly sizeBytes: number;
  merge(other: Self): void;
  encode(to: ByteWriter): void;
  decode(from: ByteReader): void;
}

/** Sketches of an accumulator, by slot; a slot that has seen nothing has none. */
export class SketchSlots<S extends Sketch<S>> {
  readonly #create: () => S;
  readonly #slots: (S | null)[] = [];
  #sizeBytes = 0;

  constructor(create: () => S) {
    this.#create = create;
  }

  get sizeBytes(): number {
    return this.#sizeBytes + this.#slots.length * 8;
  }

  reserve(slotCount: number): void {
    while (this.#slots.length < slotCount) this.#slots.push(null);
  }

  get(slot: number): S | null {
    return this.#slots[slot] ?? null;
  }

  /** The sketch of a slot, a new one where it has none. resized() follows where it grows. */
  ensure(slot: number): S {
    const known = this.get(slot);
    if (known !== null) return known;
    const sketch = this.#create();
    this.#slots[slot] = sketch;
    this.#sizeBytes += sketch.sizeBytes;
    return sketch;
  }

  resized(bytes: number): void {
    this.#sizeBytes += bytes;
  }

  merge(slot: number, from: number): void {
    const other = this.get(from);
    if (other === null) return;
    const sketch = this.ensure(slot);
    const before = sketch.sizeBytes;
    sketch.merge(other);
    this.resized(sketch.sizeBytes - before);
  }

  clear(slot: number): void {
    this.#sizeBytes -= this.get(slot)?.sizeBytes ?? 0;
    this.#slots[slot] = null;
  }

  encode(slot: number, to: ByteWriter): void {
    const sketch = this.get(slot);
    to.byte(sketch === null ? 0 : 1);
    sketch?.encode(to);
  }

  decode(slot: number, from: ByteReader): void {
    if (from.byte() === 0) return;
    const sketch = this.ensure(slot);
    const before = sketch.sizeBytes;
    sketch.decode(from);
    this.resized(sketch.sizeBytes - before);
  }
}
