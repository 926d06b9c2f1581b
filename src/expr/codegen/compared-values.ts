/** Values as tests compare them: exactly, -0 and NaN included. */
import { createColumn, readValue, writeValue } from '../../core/index.ts';
import type { DataType, Value } from '../../core/index.ts';

export function sameExactly(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof Map && b instanceof Map) return sameExactly([...a].flat() as Value[], [...b].flat() as Value[]);
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((item: Value, index) => sameExactly(item, b[index] as Value));
}

/** A value as a column gives it back: floats rounded, lone surrogates replaced. */
export function throughColumn(type: DataType, value: Value): Value {
  switch (type.kind) {
    case 'boolean':
    case 'double':
    case 'timestamp':
    case 'long':
    case 'decimal':
      return value;
    default: {
      const column = createColumn(type, 1);
      writeValue(column, 0, value);
      return readValue(column, type, 0);
    }
  }
}
