import { entryOf } from './document.ts';
import type { DedupeStepSpec } from './job-spec.ts';
import { asMap } from './map-reader.ts';
import { readOptions } from './option-block.ts';
import { readFieldNames } from './read-fields.ts';
import type { StepContext, WithoutInputs } from './step-context.ts';
import { dedupeOptions } from './step-options.ts';

/** `dedupe: {key, keep, ttl}`. */
export function readDedupe({ base, verb, problems }: StepContext): WithoutInputs<DedupeStepSpec> | null {
  const map = asMap(verb.value, '`dedupe`', 'a mapping {key, keep, ttl}', problems);
  if (map === null) return null;
  const values = readOptions({ node: map, range: verb.keyRange }, dedupeOptions, problems);
  const key = entryOf(map, 'key');
  const keys = values === null || key === undefined ? [] : readFieldNames(key.value, problems);
  if (values === null || keys.length === 0) return null;
  return { ...base, kind: 'dedupe', keys, keep: values.keep, ttlMs: values.ttl };
}
