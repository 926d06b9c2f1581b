const FIRST_CAPACITY = 256;

type Numbers = Float64Array | Uint8Array | Int32Array | Uint32Array;

/** At least `size` long, keeping what is in it. */
export function grown<T extends Numbers>(array: T, size: number): T {
  if (array.length >= size) return array;
  return sized(array, Math.max(size, array.length * 2, FIRST_CAPACITY));
}

/** As grown(), and no longer than asked for: whoever asks has doubled already, or has reasons not to. */
export function sized<T extends Numbers>(array: T, size: number): T {
  if (array.length >= size) return array;
  const larger = new (array.constructor as new (length: number) => T)(size);
  larger.set(array);
  return larger;
}
