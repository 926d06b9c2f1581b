import type { DataType } from '../../core/index.ts';

/** Whether rows can be grouped by it: equality and core/hash.ts must agree. JSON texts may differ and mean the same. */
export function isKeyType(type: DataType): boolean {
  return type.kind !== 'array' && type.kind !== 'map' && type.kind !== 'row' && type.kind !== 'json';
}
