/** What a sink step means: which fields are keys, values, headers; in which form. Pure. */
import {
  fieldIndex,
  nearestName,
  type FormatDefinition,
  type OptionProblem,
  type SinkSpec,
} from '../../../core/index.ts';
import { FormatKeyEncoder, noKeys, RawKeyEncoder, type KeyEncoder } from './key-encoder.ts';

export interface SinkPlan {
  readonly keyFields: readonly number[];
  readonly keyForm: 'none' | 'raw' | 'json';
  /** All fields of the input but the headers. */
  readonly valueFields: readonly number[];
  /** -1 for none. */
  readonly headersField: number;
  /** -1 for none. */
  readonly timestampField: number;
  readonly isUpsert: boolean;
  /** Records have the time of writing, no headers, and need no key. */
  readonly isPlain: boolean;
  createKeys(spec: SinkSpec, keyFormat: FormatDefinition | null, capacity: number): KeyEncoder;
}

export function planSink(spec: SinkSpec): SinkPlan {
  const { input, options } = spec;
  const keyFields = ((options['key'] ?? []) as readonly string[]).map((name) => fieldIndex(input, name));
  const named = (option: string) => {
    const name = options[option] ?? null;
    return typeof name === 'string' ? fieldIndex(input, name) : -1;
  };
  const headersField = named('headers');
  const timestampField = named('timestamp');
  const isUpsert = spec.changelog === 'upsert';
  const keyForm = keyFormOf(spec, keyFields);
  return {
    keyFields,
    keyForm,
    valueFields: input.fields.map((_, index) => index).filter((index) => index !== headersField),
    headersField,
    timestampField,
    isUpsert,
    isPlain: headersField < 0 && timestampField < 0 && !isUpsert,
    createKeys: (ofSpec, keyFormat, capacity) => {
      if (keyForm === 'none') return noKeys;
      if (keyForm === 'raw') return new RawKeyEncoder(keyFields[0] as number);
      if (keyFormat === null) throw new TypeError('no format for the key');
      // The options in the spec are of the value's format.
      const keySpec: SinkSpec = { ...ofSpec, format: { name: keyFormat.name, options: {} } };
      return new FormatKeyEncoder(keyFormat, keySpec, keyFields, capacity);
    },
  };
}

function keyFormOf(spec: SinkSpec, keyFields: readonly number[]): SinkPlan['keyForm'] {
  if (keyFields.length === 0) return 'none';
  const wanted = spec.options['keyFormat'] ?? 'auto';
  if (wanted === 'raw' || wanted === 'json') return wanted;
  return canBeRaw(spec, keyFields) ? 'raw' : 'json';
}

function canBeRaw(spec: SinkSpec, keyFields: readonly number[]): boolean {
  const kind = spec.input.fields[keyFields[0] ?? -1]?.type.kind;
  return keyFields.length === 1 && (kind === 'string' || kind === 'bytes' || kind === 'json');
}

/** What is wrong although every option alone is right. */
export function checkSink(spec: SinkSpec): readonly OptionProblem[] {
  const { input, options } = spec;
  const problems: OptionProblem[] = [];
  const names = input.fields.map(({ name }) => name);
  const report = (path: readonly string[], message: string, suggestion: string | null = null) => {
    problems.push({ path, what: 'invalid', message, suggestion });
  };
  const checkField = (option: string, name: string) => {
    if (names.includes(name)) return true;
    const near = nearestName(name, names);
    const hint = near === null ? `; there are ${names.join(', ')}` : `; did you mean \`${near}\`?`;
    report([option], `\`${option}\` names a field \`${name}\` that the input does not have${hint}`, near);
    return false;
  };
  const keyNames = (options['key'] ?? []) as readonly string[];
  const areKeysKnown = keyNames.map((name) => checkField('key', name)).every(Boolean);
  if (areKeysKnown) checkKeys(spec, keyNames, report);
  if (options['delivery'] === 'exactly-once' && options['topic'] === options['commitsTopic']) {
    report(['commitsTopic'], '`commitsTopic` is for records of transactions alone: it cannot be the `topic` too');
  }
  const headers = options['headers'] ?? null;
  if (typeof headers === 'string' && checkField('headers', headers)) {
    const type = input.fields[fieldIndex(input, headers)]?.type;
    const isMap = type?.kind === 'map' && type.key.kind === 'string';
    if (!isMap || (type.value.kind !== 'string' && type.value.kind !== 'bytes')) {
      report(['headers'], '`headers` needs a field of type map<string, string> or map<string, bytes>');
    }
  }
  const timestamp = options['timestamp'] ?? null;
  if (typeof timestamp === 'string' && checkField('timestamp', timestamp)) {
    const kind = input.fields[fieldIndex(input, timestamp)]?.type.kind;
    if (kind !== 'timestamp') report(['timestamp'], '`timestamp` needs a field of type timestamp');
  }
  return problems;
}

function checkKeys(
  spec: SinkSpec,
  keyNames: readonly string[],
  report: (path: readonly string[], message: string) => void,
): void {
  const { input, options, uniqueKey } = spec;
  const keyFields = keyNames.map((name) => fieldIndex(input, name));
  if (options['keyFormat'] === 'raw' && !canBeRaw(spec, keyFields)) {
    report(['keyFormat'], '`keyFormat: raw` needs exactly one key field, of type string or bytes');
  }
  const object = keyFields.find((index) => ['array', 'map', 'row'].includes(input.fields[index]?.type.kind ?? ''));
  if (object !== undefined) report(['key'], `\`key\` names ${input.fields[object]?.name ?? ''}, which cannot be a key`);
  if (spec.changelog !== 'upsert') return;
  const isSame = uniqueKey.length === keyFields.length && uniqueKey.every((index) => keyFields.includes(index));
  if (isSame) return;
  const expected = uniqueKey.map((index) => input.fields[index]?.name ?? '').join(', ');
  report(['key'], `\`key\` must be [${expected}] here: the input updates and deletes rows by it`);
}
