import type { OptionValue } from '../core/index.ts';
import { apiErrors } from './errors.ts';

export type PlainMap = Readonly<Record<string, OptionValue>>;

interface Refusal {
  readonly where: string;
  readonly what: string;
}

/** A copy of settings without what is undefined; MR-API-NOT-PLAIN where one cannot stand in a job file. */
export function plainMap(given: Readonly<Record<string, unknown>>, where: string): PlainMap {
  const refusals: Refusal[] = [];
  const copy = copyMap(given, where, refusals);
  const [refusal] = refusals;
  // Thrown out here, where the stack still holds the call of the user.
  if (refusal !== undefined) throw apiErrors.create('MR-API-NOT-PLAIN', { ...refusal });
  return copy;
}

function copyMap(given: Readonly<Record<string, unknown>>, where: string, refusals: Refusal[]): PlainMap {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.freeze(
    Object.fromEntries(entries.map(([key, value]) => [key, copyOf(value, `${where}, ${key}`, refusals)])),
  );
}

function copyOf(value: unknown, where: string, refusals: Refusal[]): OptionValue {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map((each, at) => copyOf(each, `${where}[${at}]`, refusals)));
  if (typeof value === 'object' && isPlainObject(value)) return copyMap(value, where, refusals);
  refusals.push({ where, what: typeof value === 'number' ? String(value) : `a ${kindOf(value)}` });
  return null;
}

/** Of whatever realm. */
function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: unknown): string {
  const { constructor } = value as { readonly constructor?: { readonly name?: string } };
  return typeof value === 'object' ? (constructor?.name ?? 'object') : typeof value;
}
