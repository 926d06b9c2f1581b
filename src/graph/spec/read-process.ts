import { entryOf } from './document.ts';
import type { MapEntry } from './document.ts';
import type { ProcessStepSpec, SideSpec } from './job-spec.ts';
import { asMap, asText } from './map-reader.ts';
import { readOptions } from './option-block.ts';
import { readFieldNames, readNamed } from './read-fields.ts';
import { isBranchName } from './step-names.ts';
import type { StepContext, WithoutInputs } from './step-context.ts';
import { processOptions } from './step-options.ts';

/** `process: ./file.ts#export`, with `key`, `schema`, `sides` and `longs` beside it. */
export function readProcess(context: StepContext): WithoutInputs<ProcessStepSpec> | null {
  const { map, verb, base, problems } = context;
  const code = asText(verb.value, '`process`', '`./FILE.ts#EXPORT`', problems);
  const schema = entryOf(map, 'schema');
  const key = entryOf(map, 'key');
  const sides = entryOf(map, 'sides');
  const fields = schema === undefined ? null : readNamed(schema.value, '`schema`', 'a type', context);
  const keys = key === undefined ? [] : readFieldNames(key.value, problems);
  const others = map.entries.filter(({ key: name }) => Object.hasOwn(processOptions, name));
  const values = readOptions({ node: { ...map, entries: others }, range: verb.keyRange }, processOptions, problems);
  const aside = sides === undefined ? [] : readSides(sides, context);
  if (code === null) return null;
  return { ...base, kind: 'process', code, keys, fields, longs: values?.longs ?? 'number', sides: aside };
}

/** `{STEP: {FIELD: type, …}, …}`. */
function readSides({ value }: MapEntry, context: StepContext): readonly SideSpec[] {
  const map = asMap(value, '`sides`', 'a mapping {STEP: {FIELD: type, …}, …}', context.problems);
  return (map?.entries ?? []).flatMap(({ key, keyRange, value: fields }) => {
    const read = readNamed(fields, `\`${key}\``, 'a type', context);
    if (!isBranchName(key, keyRange, context.problems)) return [];
    return [{ branch: { name: key, nameRange: keyRange, condition: null }, fields: read }];
  });
}
