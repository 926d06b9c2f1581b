import type { FrozenSpill, KeyRange, SpilledEntry, SpillLog, SpillSpace, SpillStore } from '../core/index.ts';

/** A store of spilled entries that forgets nothing but is in memory: for tests that count on it to be fast. */
export function memorySpill(
  memoryBytes: number,
  takesCheckpoints = true,
): SpillSpace & { readonly stored: () => number } {
  let store = new MemorySpillStore();
  return {
    memoryBytes,
    storeBytes: 0,
    takesCheckpoints,
    open: () => {
      store = new MemorySpillStore();
      return Promise.resolve(store);
    },
    stored: () => store.size,
  };
}

class MemorySpillStore implements SpillStore {
  /** By hexadecimal key: their order is that of the bytes. */
  readonly #entries = new Map<string, SpilledEntry>();

  get size(): number {
    return this.#entries.size;
  }

  read(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]> {
    return Promise.resolve(keys.map((key) => this.#entries.get(textOf(key))?.value.slice() ?? null));
  }

  write(entries: readonly SpilledEntry[]): Promise<void> {
    for (const { key, value } of entries) this.#entries.set(textOf(key), { key: key.slice(), value: value.slice() });
    return Promise.resolve();
  }

  remove(keys: readonly Uint8Array[]): Promise<void> {
    for (const key of keys) this.#entries.delete(textOf(key));
    return Promise.resolve();
  }

  removeRanges(ranges: readonly KeyRange[]): Promise<void> {
    for (const { from, below } of ranges) {
      const [first, end] = [textOf(from), textOf(below)];
      for (const key of [...this.#entries.keys()]) if (key >= first && key < end) this.#entries.delete(key);
    }
    return Promise.resolve();
  }

  scan(from: Uint8Array, below: Uint8Array, limit: number): Promise<readonly SpilledEntry[]> {
    return scanOf(this.#entries, from, below, limit);
  }

  freeze(): FrozenSpill {
    const copy = new Map(this.#entries);
    return { scan: (from, below, limit) => scanOf(copy, from, below, limit), close: () => copy.clear() };
  }

  createLog(): Promise<SpillLog> {
    let written = Buffer.alloc(0);
    return Promise.resolve({
      append: (bytes) => {
        written = Buffer.concat([written, bytes]);
        return Promise.resolve();
      },
      read: (position, length) => Promise.resolve(new Uint8Array(written.subarray(position, position + length))),
      remove: () => {
        written = Buffer.alloc(0);
        return Promise.resolve();
      },
    });
  }

  close(): Promise<void> {
    this.#entries.clear();
    return Promise.resolve();
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString('hex');
}

function scanOf(
  entries: ReadonlyMap<string, SpilledEntry>,
  from: Uint8Array,
  below: Uint8Array,
  limit: number,
): Promise<readonly SpilledEntry[]> {
  const [first, end] = [textOf(from), textOf(below)];
  const found = [...entries].filter(([key]) => key >= first && key < end).sort(([a], [b]) => (a < b ? -1 : 1));
  return Promise.resolve(found.slice(0, limit).map(([, entry]) => entry));
}
