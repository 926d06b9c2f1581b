/**
 * Entries of an operator that memory has no room for (docs/design/015): bytes by key, on a local disk, for as long as
 * the operator lives. What has to survive is in checkpoints.
 */

/** Of windows, those over event time that are cut into slices. */
const SLICED: readonly string[] = ['tumble', 'hop', 'cumulate'];

/** Whether entries of a node of a job graph may leave memory, where the job keeps state on the disk. */
export function maySpill(node: {
  readonly kind: string;
  readonly retracts?: true;
  readonly keys?: readonly unknown[];
  readonly window?: { readonly kind: string } | null;
}): boolean {
  const hasKey = node.keys !== undefined && node.keys.length > 0;
  if (node.kind === 'window') return hasKey && SLICED.includes(node.window?.kind ?? '');
  if (node.kind === 'process') return hasKey;
  if (node.kind === 'top-n') return hasKey && node.retracts !== true;
  return node.kind === 'join' || node.kind === 'dedupe' || (node.kind === 'aggregate' && node.retracts !== true);
}

/** A step with less could not hold the keys of a few batches, and what the store needs for itself. */
export const LEAST_SPILL_BYTES = 4 * 1024 * 1024;
/** Of a slot whose state may be on the disk, where the job does not say. */
export const DEFAULT_DISK_BYTES = 256 * 1024 * 1024;

/** What an operator is given to keep entries outside of memory. */
export interface SpillSpace {
  /** What the operator may hold in memory, caches of the store included. */
  readonly memoryBytes: number;
  /** Of these the store itself takes so much. */
  readonly storeBytes: number;
  /** Whether there will be snapshots: else nobody need keep account of what has changed. */
  readonly takesCheckpoints: boolean;
  /** Called at most once. Whatever an earlier process left there is gone. */
  open(): Promise<SpillStore>;
}

/** One entry: keys begin with their key group. */
export interface SpilledEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Keys in the order of their bytes, from `from` on and below `below`. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly below: Uint8Array;
}

/** The entries of one operator, by key. Calls that change it are made one after the other, each awaited. */
export interface SpillStore {
  /** The entries of these keys, in their order; null where there is none. */
  read(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]>;
  /** Puts entries, in place of those that have their keys. Keys and values must not change any more. */
  write(entries: readonly SpilledEntry[]): Promise<void>;
  remove(keys: readonly Uint8Array[]): Promise<void>;
  /** Removes whatever has a key in one of these ranges, in a time that does not depend on how much that is. */
  removeRanges(ranges: readonly KeyRange[]): Promise<void>;
  /** The first entries in the order of keys, byte by byte, from `from` on and below `below`. */
  scan(from: Uint8Array, below: Uint8Array, limit: number): Promise<readonly SpilledEntry[]>;
  /** The store as it is now, whatever changes later; synchronous. To be closed. */
  freeze(): FrozenSpill;
  /** A new file for bytes that are appended and read back. */
  createLog(): Promise<SpillLog>;
  /** Removes all of it. Harmless when repeated. */
  close(): Promise<void>;
}

export interface FrozenSpill {
  /** As SpillStore.scan. */
  scan(from: Uint8Array, below: Uint8Array, limit: number): Promise<readonly SpilledEntry[]>;
  /** Harmless when repeated. */
  close(): void;
}

export interface SpillLog {
  append(bytes: Uint8Array): Promise<void>;
  /** Bytes that were appended before. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Removes the file. Reads may be pending. */
  remove(): Promise<void>;
}
