/**
 * How the keys of records follow each other: what the generated decoder expects. Records of one topic mostly come from
 * one serialiser, which writes the same keys in the same order with the same punctuation; then finding a field is the
 * comparison of a few words with constants. A record of another layout is only slower.
 */
import type { JsonScanner } from './json-scanner.ts';
import type { JsonValues } from './json-values.ts';

export interface LayoutSlot {
  /** The key, unescaped. */
  readonly key: string;
  /** The bytes from the end of the value before to the start of this key's value, such as `,"price":`. */
  readonly literal: Uint8Array;
  /** The position in the decoder's list of wanted fields, or -1: skip the value. */
  readonly target: number;
}

export type RecordLayout = readonly LayoutSlot[];

const MAX_LEARNED_SLOTS = 256;
const encoder = new TextEncoder();

/** The layout of a serialiser that writes the declared fields in order, without white space. */
export function declaredLayout(fieldNames: readonly string[], targets: ReadonlyMap<string, number>): RecordLayout {
  return fieldNames.map((key, index) => ({
    key,
    literal: index === 0 ? encoder.encode(`{${JSON.stringify(key)}:`) : laterLiteral(key),
    target: targets.get(key) ?? -1,
  }));
}

/** What a serialiser without white space writes before a value that is not the first. */
export function laterLiteral(key: string): Uint8Array {
  return encoder.encode(`,${JSON.stringify(key)}:`);
}

/** The layout of a record that has been decoded without a failure, or null where it is none to expect again. */
export function learnLayout(
  values: JsonValues,
  start: number,
  end: number,
  targets: ReadonlyMap<string, number>,
): RecordLayout | null {
  const { scanner } = values;
  scanner.setRecord(start, end);
  const slots: LayoutSlot[] = [];
  const keys = new Set<string>();
  let segment = start;
  let p = scanner.skipSpace(scanner.skipSpace(start) + 1);
  while (scanner.bytes[p] === 0x22) {
    const key = values.readKey(p);
    const valueStart = scanner.skipColon(values.position);
    if (keys.has(key) || slots.length === MAX_LEARNED_SLOTS) return null;
    keys.add(key);
    slots.push({ key, literal: scanner.bytes.slice(segment, valueStart), target: targets.get(key) ?? -1 });
    segment = scanner.skipValue(valueStart);
    p = afterComma(scanner, segment);
  }
  return slots;
}

function afterComma(scanner: JsonScanner, from: number): number {
  const p = scanner.skipSpace(from);
  return scanner.bytes[p] === 0x2c ? scanner.skipSpace(p + 1) : p;
}

export function sameLayout(a: RecordLayout, b: RecordLayout): boolean {
  return (
    a.length === b.length &&
    a.every((slot, index) => {
      const other = b[index];
      return other !== undefined && Buffer.compare(slot.literal, other.literal) === 0;
    })
  );
}
