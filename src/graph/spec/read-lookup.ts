import { entryOf, isEmpty } from './document.ts';
import type { MapEntry } from './document.ts';
import type { LookupStepSpec } from './job-spec.ts';
import { asText, requireKey, wrongShape } from './map-reader.ts';
import { blockOf, readOptions } from './option-block.ts';
import { readNamed } from './read-fields.ts';
import { readWith } from './read-with.ts';
import type { StepContext, WithoutInputs } from './step-context.ts';
import { lookupCacheOptions, lookupOptions, lookupRetryOptions } from './step-options.ts';

/** `lookup: CONNECTOR`, with `with`, `on`, `schema`, and how it asks. */
export function readLookup(context: StepContext): WithoutInputs<LookupStepSpec> | null {
  const { base, map, verb, where, problems } = context;
  const connector = asText(verb.value, '`lookup`', 'the name of a connector', problems);
  const on = entryOf(map, 'on');
  const schema = entryOf(map, 'schema');
  requireKey(map, on, 'on', where, problems);
  requireKey(map, schema, 'schema', where, problems);
  const keys = on === undefined ? [] : readNamed(on.value, '`on`', 'an expression', context);
  const fields = schema === undefined ? [] : readNamed(schema.value, '`schema`', 'a type', context);
  const given = map.entries.filter(({ key }) => Object.hasOwn(lookupOptions, key));
  const values = readOptions({ node: { ...map, entries: given }, range: verb.keyRange }, lookupOptions, problems);
  const retry = readRetry(entryOf(map, 'retry'), context);
  const cache = readCache(entryOf(map, 'cache'), context);
  if (connector === null || keys.length === 0 || fields.length === 0) return null;
  if (values === null || retry === 'wrong' || cache === 'wrong') return null;
  const { type, ordered: isOrdered, capacity, timeout: timeoutMs } = values;
  const how = { type, isOrdered, capacity, timeoutMs, retry, cache };
  return { ...base, kind: 'lookup', connector, with: readWith(map, verb, problems), keys, fields, ...how };
}

/** `retry: 5` is five attempts. */
function readRetry(entry: MapEntry | undefined, { problems, verb }: StepContext): LookupStepSpec['retry'] | 'wrong' {
  const node = entry === undefined ? null : blockOf(entry, 'attempts');
  if (entry !== undefined && node === null) return wrongBlock(entry, 'a number, or {attempts, initial, max}', problems);
  const values = readOptions({ node, range: entry?.keyRange ?? verb.keyRange }, lookupRetryOptions, problems);
  if (values === null) return 'wrong';
  return { attempts: values.attempts, initialMs: values.initial, maxMs: Math.max(values.initial, values.max) };
}

/** `cache: 10000` is so many rows. */
function readCache(entry: MapEntry | undefined, { problems }: StepContext): LookupStepSpec['cache'] | 'wrong' {
  if (entry === undefined) return null;
  const node = blockOf(entry, 'rows');
  if (node === null) return wrongBlock(entry, 'a number of rows, or {rows, ttl, missing}', problems);
  const values = readOptions({ node, range: entry.keyRange }, lookupCacheOptions, problems);
  if (values === null) return 'wrong';
  return { rows: values.rows, ttlMs: values.ttl, keepsMissing: values.missing };
}

function wrongBlock(entry: MapEntry, expected: string, problems: StepContext['problems']): 'wrong' {
  const { value, keyRange } = entry;
  wrongShape(isEmpty(value) ? { ...value, range: keyRange } : value, `\`${entry.key}\``, expected, problems);
  return 'wrong';
}
