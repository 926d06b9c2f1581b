import { formatType, narrowing, sameType } from '../../core/index.ts';
import type { Field, OptionValue, RowSchema, StateSchema } from '../../core/index.ts';

export type SchemaComparison =
  | { readonly kind: 'kept' }
  /** It can be read, with these differences. */
  | { readonly kind: 'migrated'; readonly reason: string }
  | { readonly kind: 'incompatible'; readonly reason: string };

/**
 * Whether entries that were written with one schema can be read with another, as far as schemas tell: the operator's
 * restore() has the last word. Values may be added, dropped and widened; kind, version, types of the key and settings
 * must stay (Flink's rules for POJO state, without a serialiser of the user's).
 */
export function compareStateSchemas(written: StateSchema, present: StateSchema): SchemaComparison {
  const obstacle = findObstacle(written, present);
  if (obstacle !== null) return { kind: 'incompatible', reason: obstacle };
  const before = new Map(written.values.fields.map((field) => [field.name, field]));
  const now = new Set(present.values.fields.map(({ name }) => name));
  const changes = [
    ...present.values.fields.flatMap((field) => describeChange(before.get(field.name), field)),
    ...written.values.fields.flatMap(({ name }) => (now.has(name) ? [] : [`${name} is dropped`])),
  ];
  return changes.length === 0 ? { kind: 'kept' } : { kind: 'migrated', reason: changes.join(', ') };
}

function findObstacle(written: StateSchema, present: StateSchema): string | null {
  if (written.kind !== present.kind) return `it was state of ${written.kind}, and is of ${present.kind}`;
  if (written.version !== present.version) {
    return `its encoding has version ${written.version}, and this build reads ${present.version}`;
  }
  // The names of key fields may change: what counts is which values are equal.
  const [keyBefore, keyNow] = [keyTypes(written.key), keyTypes(present.key)];
  if (keyBefore !== keyNow) return `its key was (${keyBefore}), and is (${keyNow})`;
  return findChangedSetting(written, present) ?? findNarrowedValue(written.values, present.values);
}

function keyTypes(key: RowSchema): string {
  return key.fields.map(({ type }) => formatType(type)).join(', ');
}

function findChangedSetting(written: StateSchema, present: StateSchema): string | null {
  const names = new Set([...Object.keys(written.settings), ...Object.keys(present.settings)]);
  for (const name of names) {
    const [before, now] = [written.settings[name] ?? null, present.settings[name] ?? null];
    // Settings of single values, by the value's name: those of values that were added or dropped do not matter.
    const pairs: readonly (readonly [string, OptionValue, OptionValue])[] =
      isByName(before) && isByName(now)
        ? Object.keys(before).flatMap((key) => (key in now ? [[key, before[key] ?? null, now[key] ?? null]] : []))
        : [[name, before, now]];
    for (const [what, a, b] of pairs) {
      const [was, is] = [JSON.stringify(a), JSON.stringify(b)];
      if (was !== is) return `${what} was ${was}, and is ${is}`;
    }
  }
  return null;
}

function isByName(value: OptionValue): value is Readonly<Record<string, OptionValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function findNarrowedValue(written: RowSchema, present: RowSchema): string | null {
  for (const { name, type } of present.fields) {
    const before = written.fields.find((field) => field.name === name);
    const reason = before === undefined ? null : narrowing(before, type);
    if (reason !== null) return reason;
  }
  return null;
}

function describeChange(before: Field | undefined, { name, type }: Field): readonly string[] {
  if (before === undefined) return [`${name} is new`];
  if (sameType(before.type, type)) return [];
  return [`${name} is widened from ${formatType(before.type)} to ${formatType(type)}`];
}
