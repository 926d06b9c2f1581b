/**
 * JSON for plain data in which every number survives. What JSON cannot say (±Infinity, NaN, -0) becomes a string that
 * begins with U+0000; a string that begins so is given one more.
 */
const MARK = '\0';

export function encodeJson(value: unknown): Uint8Array {
  const json = JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'number') {
      if (Object.is(item, -0)) return `${MARK}-0`;
      return Number.isFinite(item) ? item : `${MARK}${item}`;
    }
    return typeof item === 'string' && item.startsWith(MARK) ? MARK + item : item;
  });
  return Buffer.from(json);
}

/** Throws a SyntaxError where the bytes are not JSON. */
export function decodeJson(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'), (_key, item) => {
    if (typeof item !== 'string' || !item.startsWith(MARK)) return item as unknown;
    const rest = item.slice(MARK.length);
    return rest.startsWith(MARK) ? rest : Number(rest);
  });
}
