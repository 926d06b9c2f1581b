import type { ByteWriter } from './byte-writer.ts';
import type { KeyTable } from './key-table.ts';
import type { SnapshotEntries } from './slot-snapshots.ts';

/** Entries that are the slots of a table: the key, and then what `encode` writes. */
export function tableEntries(
  table: KeyTable,
  encode: (slot: number, to: ByteWriter) => void,
  isUsed: (slot: number) => boolean = (slot) => table.isUsed(slot),
): SnapshotEntries {
  return {
    get slotLimit() {
      return table.slotLimit;
    },
    isUsed,
    hashOf: (slot) => table.hashOf(slot),
    encode: (slot, to) => {
      table.encode(slot, to);
      encode(slot, to);
    },
  };
}
