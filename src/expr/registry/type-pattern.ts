/**
 * Patterns of parameter types: `int`, `decimal` (any precision and scale), `array<T>`, `map<K, V>`, `row` (any), `T`.
 * A variable stands for one type throughout a signature.
 */
import { formatType, types } from '../../core/index.ts';
import type { DataType } from '../../core/index.ts';

export type TypePattern =
  | { readonly kind: 'exact'; readonly type: DataType }
  | { readonly kind: 'decimal' }
  | { readonly kind: 'row' }
  /** Any type; unlike a variable, of each argument anew. */
  | { readonly kind: 'any' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'array'; readonly element: TypePattern }
  | { readonly kind: 'map'; readonly key: TypePattern; readonly value: TypePattern };

const EXACT: Readonly<Record<string, DataType>> = {
  boolean: types.boolean,
  int: types.int,
  long: types.long,
  float: types.float,
  double: types.double,
  string: types.string,
  bytes: types.bytes,
  date: types.date,
  time: types.time,
  timestamp: types.timestamp,
  json: types.json,
};

/** Reads a pattern as it stands in the registry; a mistake there is a bug. */
export function typePattern(text: string): TypePattern {
  const trimmed = text.trim();
  const exact = EXACT[trimmed];
  if (exact !== undefined) return { kind: 'exact', type: exact };
  if (trimmed === 'decimal') return { kind: 'decimal' };
  if (trimmed === 'row') return { kind: 'row' };
  if (trimmed === 'any') return { kind: 'any' };
  if (/^[A-Z]$/.test(trimmed)) return { kind: 'variable', name: trimmed };
  const array = /^array<(.+)>$/.exec(trimmed);
  if (array !== null) return { kind: 'array', element: typePattern(array[1] ?? '') };
  const map = /^map<([^,]+),(.+)>$/.exec(trimmed);
  if (map !== null) return { kind: 'map', key: typePattern(map[1] ?? ''), value: typePattern(map[2] ?? '') };
  throw new TypeError(`not a type pattern: ${text}`);
}

export function formatPattern(pattern: TypePattern): string {
  switch (pattern.kind) {
    case 'exact':
      return formatType(pattern.type);
    case 'decimal':
    case 'row':
    case 'any':
      return pattern.kind;
    case 'variable':
      return pattern.name;
    case 'array':
      return `array<${formatPattern(pattern.element)}>`;
    case 'map':
      return `map<${formatPattern(pattern.key)}, ${formatPattern(pattern.value)}>`;
  }
}
