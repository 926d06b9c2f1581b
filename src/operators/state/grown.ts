const FIRST_CAPACITY = 256;

/** At least `size` long, keeping what is in it. */
export function grown<T extends Float64Array | Uint8Array | Int32Array | Uint32Array>(array: T, size: number): T {
  if (array.length >= size) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(size, array.length * 2, FIRST_CAPACITY));
  larger.set(array);
  return larger;
}
