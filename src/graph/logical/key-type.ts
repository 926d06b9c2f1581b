import type { DataType } from '../../core/index.ts';

/** Whether rows can be grouped by it: core/hash.ts and equality must agree, and JSON texts may differ and mean the same. */
export function isKeyType(type: DataType): boolean {
  return type.kind !== 'array' && type.kind !== 'map' && type.kind !== 'row' && type.kind !== 'json';
}
