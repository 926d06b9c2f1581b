/** Keys in a store begin with their key group, the high byte first, so that a group is one range. */
import type { ByteWriter } from './byte-writer.ts';

export function writeGroup(keyGroup: number, to: ByteWriter): void {
  to.byte(keyGroup >> 8);
  to.byte(keyGroup & 255);
}

/** Where the keys of a group begin. */
export function firstKeyOf(keyGroup: number): Uint8Array {
  return new Uint8Array([keyGroup >> 8, keyGroup & 255]);
}

/** The least key that is greater. */
export function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
