/** Every change of one bit, every loss of bytes at the end, and a byte too many, each with what it is. */
export function* damages(sound: Uint8Array): Generator<readonly [string, Uint8Array]> {
  for (let bit = 0; bit < sound.length * 8; bit++) {
    const changed = Uint8Array.from(sound);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    yield [`bit ${bit}`, changed];
  }
  for (let length = 0; length < sound.length; length++) yield [`${length} bytes`, sound.subarray(0, length)];
  yield ['a byte more', Uint8Array.of(...sound, 0)];
}
