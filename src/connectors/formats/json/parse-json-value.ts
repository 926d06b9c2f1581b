import type { DataType, Value } from '../../../core/index.ts';
import { JsonScanner } from './json-scanner.ts';
import { JsonValues } from './json-values.ts';

/** The value of a type that JSON text stands for, by the rules of the format; throws its record errors. */
export function parseJsonValue(type: DataType, text: string, path: string): Value {
  const scanner = new JsonScanner();
  const prefix = '{"v":';
  const bytes = new TextEncoder().encode(`${prefix}${text}}`);
  scanner.setBytes(bytes);
  scanner.setRecord(0, bytes.length);
  return new JsonValues(scanner).read(type, path, prefix.length);
}
