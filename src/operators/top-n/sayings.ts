import type { RowKind } from '../../core/index.ts';

/** What is to be said of rows that are kept, one after the other. */
export class Sayings {
  readonly #kinds: RowKind[] = [];
  readonly #slots: number[] = [];
  readonly #places: number[] = [];
  #count = 0;
  #at = 0;

  get isDone(): boolean {
    return this.#at === this.#count;
  }

  get kind(): RowKind {
    return this.#kinds[this.#at] as RowKind;
  }

  get slot(): number {
    return this.#slots[this.#at] as number;
  }

  get place(): number {
    return this.#places[this.#at] as number;
  }

  add(kind: RowKind, slot: number, place: number): void {
    this.#kinds[this.#count] = kind;
    this.#slots[this.#count] = slot;
    this.#places[this.#count++] = place;
  }

  next(): void {
    this.#at++;
  }

  clear(): void {
    this.#count = 0;
    this.#at = 0;
  }
}
