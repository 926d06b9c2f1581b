import type { OptionValue } from '../core/index.ts';
import { apiErrors } from './errors.ts';

export type PlainMap = Readonly<Record<string, OptionValue>>;

/** A copy of settings without what is undefined; MR-API-NOT-PLAIN where one cannot stand in a job file. */
export function plainMap(given: Readonly<Record<string, unknown>>, where: string): PlainMap {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.freeze(Object.fromEntries(entries.map(([key, value]) => [key, plain(value, `${where}, ${key}`)])));
}

function plain(value: unknown, where: string): OptionValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw notPlain(where, String(value));
    case 'object':
      if (value === null) return value;
      if (Array.isArray(value)) return Object.freeze(value.map((item, at) => plain(item, `${where}[${at}]`)));
      if (isPlainObject(value)) return plainMap(value, where);
      throw notPlain(where, `a ${(value.constructor as { readonly name?: string } | undefined)?.name ?? 'object'}`);
    default:
      throw notPlain(where, `a ${typeof value}`);
  }
}

/** Of whatever realm. */
function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notPlain(where: string, what: string): Error {
  return apiErrors.create('MR-API-NOT-PLAIN', { where, what });
}
