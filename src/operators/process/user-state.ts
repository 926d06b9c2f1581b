/** What user code keeps per key, under one name each: the objects that it is given in open(). */
import type { ListState, MapState, ValueState } from '../../core/index.ts';
import { grown } from '../state/grown.ts';

export type StateKind = 'value' | 'list' | 'map';

/** The key whose call runs, and the time by which things are forgotten. */
export interface CurrentKey {
  /** The slot of the key, or -1 where nothing is kept for it; throws where no call runs. */
  readonly slot: number;
  /** The slot of the key, a new one where nothing was kept for it. */
  ensureSlot(): number;
  /** The slot keeps one thing more, or one less. */
  held(slot: number): void;
  released(slot: number): void;
  /** The time at which something is written, and the one that has been reached. */
  readonly writeTimeMs: number;
  readonly reachedMs: number;
  /** Something of the slot is to be forgotten at this time. */
  expiresAt(slot: number, timeMs: number): void;
  /** Throws where it cannot be kept. */
  check(state: StateSlots, value: unknown): void;
}

/** The values of one name, by slot; undefined where a slot has none. */
export class StateSlots {
  readonly name: string;
  readonly kind: StateKind;
  /** Infinity where nothing is forgotten. */
  readonly ttlMs: number;
  readonly #keys: CurrentKey;
  readonly #values: unknown[] = [];
  /** When it was last written, where it is forgotten; -Infinity where no time was known. */
  #written = new Float64Array(0);
  isChecked = false;

  constructor(name: string, kind: StateKind, ttlMs: number, keys: CurrentKey) {
    this.name = name;
    this.kind = kind;
    this.ttlMs = ttlMs;
    this.#keys = keys;
  }

  get sizeBytes(): number {
    return this.#values.length * 8 + this.#written.byteLength;
  }

  at(slot: number): unknown {
    return this.#values[slot];
  }

  writtenAt(slot: number): number {
    return this.ttlMs === Infinity ? -Infinity : (this.#written[slot] as number);
  }

  /** Whether the slot has something that is to be forgotten by now. */
  isExpired(slot: number, reachedMs: number): boolean {
    if (this.ttlMs === Infinity || this.#values[slot] === undefined) return false;
    const written = this.#written[slot] as number;
    return written > -Infinity && written + this.ttlMs <= reachedMs;
  }

  /** What is kept for the present key. */
  get(): unknown {
    const { slot, reachedMs } = this.#keys;
    return slot < 0 || this.isExpired(slot, reachedMs) ? undefined : this.#values[slot];
  }

  /** Keeps a value for the present key; undefined forgets. */
  set(value: unknown): void {
    if (value === undefined) {
      const { slot } = this.#keys;
      if (slot >= 0) this.forget(slot);
      return;
    }
    if (!this.isChecked) this.#keys.check(this, value);
    this.put(this.#keys.ensureSlot(), value, this.#keys.writeTimeMs);
  }

  put(slot: number, value: unknown, writtenMs: number): void {
    while (this.#values.length < slot) this.#values.push(undefined);
    if (this.#values[slot] === undefined) this.#keys.held(slot);
    this.#values[slot] = value;
    if (this.ttlMs === Infinity) return;
    this.#written = grown(this.#written, slot + 1);
    this.#written[slot] = writtenMs;
    this.#keys.expiresAt(slot, writtenMs + this.ttlMs);
  }

  forget(slot: number): void {
    if (this.#values[slot] === undefined) return;
    this.#values[slot] = undefined;
    this.#keys.released(slot);
  }

  /** Counts from now on for what was written when no time was known. */
  startCounting(slot: number, nowMs: number): void {
    if (this.#values[slot] !== undefined && this.#written[slot] === -Infinity) this.#written[slot] = nowMs;
  }
}

export class UserValue<T> implements ValueState<T> {
  readonly #slots: StateSlots;

  constructor(slots: StateSlots) {
    this.#slots = slots;
  }

  get(): T | undefined {
    return this.#slots.get() as T | undefined;
  }

  set(value: T): void {
    this.#slots.set(value);
  }

  clear(): void {
    this.#slots.set(undefined);
  }
}

export class UserList<T> implements ListState<T> {
  readonly #slots: StateSlots;

  constructor(slots: StateSlots) {
    this.#slots = slots;
  }

  get length(): number {
    return this.#get()?.length ?? 0;
  }

  add(value: T): void {
    const list = this.#get() ?? [];
    list.push(value);
    this.#slots.set(list);
  }

  set(values: readonly T[]): void {
    this.#slots.set(values.length === 0 ? undefined : [...values]);
  }

  clear(): void {
    this.#slots.set(undefined);
  }

  [Symbol.iterator](): Iterator<T> {
    return (this.#get() ?? [])[Symbol.iterator]();
  }

  #get(): T[] | undefined {
    return this.#slots.get() as T[] | undefined;
  }
}

export class UserMap<K extends string | number, V> implements MapState<K, V> {
  readonly #slots: StateSlots;

  constructor(slots: StateSlots) {
    this.#slots = slots;
  }

  get size(): number {
    return this.#get()?.size ?? 0;
  }

  get(key: K): V | undefined {
    return this.#get()?.get(key);
  }

  has(key: K): boolean {
    return this.#get()?.has(key) === true;
  }

  set(key: K, value: V): void {
    const map = this.#get() ?? new Map<K, V>();
    map.set(key, value);
    this.#slots.set(map);
  }

  delete(key: K): void {
    const map = this.#get();
    if (map?.delete(key) === true) this.#slots.set(map.size === 0 ? undefined : map);
  }

  clear(): void {
    this.#slots.set(undefined);
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return (this.#get() ?? new Map<K, V>())[Symbol.iterator]();
  }

  #get(): Map<K, V> | undefined {
    return this.#slots.get() as Map<K, V> | undefined;
  }
}
