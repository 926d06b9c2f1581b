/** Whether entries that an earlier version of a step wrote can be read by this one. */
import { coreErrors, formatType } from '../../core/index.ts';
import type { Field, OptionValue, RowSchema, StateSchema } from '../../core/index.ts';

/** The setting that holds, for each of the schema's values, how it is encoded. */
const LAYOUTS = 'layouts';

/** The schema of entries of which each value has a layout, such as `sum(integer)`, and can be told by its name. */
export function layoutSchema(
  parts: Omit<StateSchema, 'values' | 'settings'> & {
    readonly values: readonly (Field & { readonly layout: string })[];
    readonly settings: Readonly<Record<string, OptionValue>>;
  },
): StateSchema {
  const { kind, version, key, values, settings } = parts;
  return {
    kind,
    version,
    key,
    values: { fields: values.map(({ name, type }) => ({ name, type })) },
    settings: { ...settings, [LAYOUTS]: Object.fromEntries(values.map(({ name, layout }) => [name, layout])) },
  };
}

/**
 * For each value that was written, its place among today's values, or -1 where it was dropped since. Throws
 * MR-STATE-INCOMPATIBLE where anything else changed.
 */
export function matchSchemas(written: StateSchema, current: StateSchema, stepId: string): readonly number[] {
  const reason = incompatibility(written, current);
  if (reason !== null) throw coreErrors.create('MR-STATE-INCOMPATIBLE', { step: stepId, reason });
  return written.values.fields.map(({ name }) => current.values.fields.findIndex((field) => field.name === name));
}

/** Why entries that were written with one schema cannot be read with another; null where they can. */
function incompatibility(written: StateSchema, current: StateSchema): string | null {
  if (written.kind !== current.kind) return `it was state of ${written.kind}, and is of ${current.kind}`;
  if (written.version !== current.version) {
    return `its encoding has version ${written.version}, and this build reads ${current.version}`;
  }
  const [before, now] = [keyText(written.key), keyText(current.key)];
  if (before !== now) return `its key was (${before}), and is (${now})`;
  return differentSetting(written, current) ?? differentLayout(written, current);
}

/** Names of key fields may change: what counts is which values are equal. */
function keyText(key: RowSchema): string {
  return key.fields.map(({ type }) => formatType(type)).join(', ');
}

function differentSetting(written: StateSchema, current: StateSchema): string | null {
  const names = new Set([...Object.keys(written.settings), ...Object.keys(current.settings)]);
  names.delete(LAYOUTS);
  for (const name of names) {
    const [before, now] = [written.settings[name] ?? null, current.settings[name] ?? null].map((value) =>
      JSON.stringify(value),
    );
    if (before !== now) return `${name} was ${String(before)}, and is ${String(now)}`;
  }
  return null;
}

function differentLayout(written: StateSchema, current: StateSchema): string | null {
  const [before, now] = [layoutsOf(written), layoutsOf(current)];
  for (const { name } of current.values.fields) {
    if (!written.values.fields.some((field) => field.name === name)) continue;
    const [was, is] = [before, now].map((layouts) => JSON.stringify(layouts[name] ?? null));
    if (was !== is) return `${name} was kept as ${String(was)}, and is as ${String(is)}`;
  }
  return null;
}

function layoutsOf({ settings }: StateSchema): Readonly<Record<string, OptionValue | undefined>> {
  const layouts = settings[LAYOUTS];
  return typeof layouts === 'object' && layouts !== null && !Array.isArray(layouts)
    ? (layouts as Readonly<Record<string, OptionValue>>)
    : {};
}
