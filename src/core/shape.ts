/**
 * Reads plain data of known shape out of parsed JSON: every value that the shape mentions is checked, none of them is
 * taken on trust. Fields that it does not mention are kept as they are, so that a version that does not know them yet
 * writes them back.
 */

/** Returns the value as it should be; `place` is where it stands, for the message. */
export type Shape<T> = (value: unknown, place: string) => T;

export type ShapeReading<T> =
  | { readonly kind: 'read'; readonly value: T }
  /** Such as `vertices[2].parallelism is not a whole number from 1`. */
  | { readonly kind: 'refused'; readonly reason: string };

export function readShape<T>(expected: Shape<T>, value: unknown): ShapeReading<T> {
  try {
    return { kind: 'read', value: expected(value, '') };
  } catch (error) {
    if (error instanceof ShapeProblem) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

class ShapeProblem extends Error {}

function refuse(place: string, expected: string): never {
  throw new ShapeProblem(`${place === '' ? 'the whole' : place} is not ${expected}`);
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type ValueOf<S> = S extends Shape<infer T> ? T : never;
type FieldValues<F extends Fields, O extends Fields> = {
  readonly [Key in keyof F]: ValueOf<F[Key]>;
} & {
  readonly [Key in keyof O]?: ValueOf<O[Key]>;
};

function fields<const F extends Fields, const O extends Fields = Fields>(
  expected: F,
  optional?: O,
): Shape<FieldValues<F, O>> {
  return (value, place) => {
    const given = mapping(value, place);
    const read: Record<string, unknown> = { ...given };
    const take = (name: string, field: Shape<unknown>): void => {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      read[name] = field(value, place === '' ? name : `${place}.${name}`);
    };
    for (const [name, field] of Object.entries(expected)) take(name, field);
    for (const [name, field] of Object.entries(optional ?? {})) {
      if (Object.hasOwn(given, name)) take(name, field);
    }
    return read as FieldValues<F, O>;
  };
}

function mapping(value: unknown, place: string): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : refuse(place, 'a mapping');
}

const text: Shape<string> = (value, place) => (typeof value === 'string' ? value : refuse(place, 'a string'));
const flag: Shape<boolean> = (value, place) => (typeof value === 'boolean' ? value : refuse(place, 'true or false'));
const number: Shape<number> = (value, place) => (typeof value === 'number' ? value : refuse(place, 'a number'));

/** The shapes that others are made of. */
export const shape = Object.freeze({
  text,
  flag,
  /** Any number, the infinite ones too. */
  number,
  /** A safe integer from `min` on. */
  integer(min: number): Shape<number> {
    return (value, place) =>
      Number.isSafeInteger(value) && (value as number) >= min
        ? (value as number)
        : refuse(place, `a whole number from ${min}`);
  },
  oneOf<const T extends string | number>(...values: readonly T[]): Shape<T> {
    return (value, place) => values.find((known) => known === value) ?? refuse(place, `one of ${values.join(', ')}`);
  },
  /** A string or a number that passes a test. */
  where<T>(inner: Shape<T>, isRight: (value: T) => boolean, expected: string): Shape<T> {
    return (value, place) => {
      const read = inner(value, place);
      return isRight(read) ? read : refuse(place, expected);
    };
  },
  nullable<T>(inner: Shape<T>): Shape<T | null> {
    return (value, place) => (value === null ? null : inner(value, place));
  },
  list<T>(inner: Shape<T>): Shape<readonly T[]> {
    return (value, place) =>
      Array.isArray(value) ? value.map((item, index) => inner(item, `${place}[${index}]`)) : refuse(place, 'a list');
  },
  map<T>(inner: Shape<T>): Shape<Readonly<Record<string, T>>> {
    return (value, place) =>
      Object.fromEntries(
        Object.entries(mapping(value, place)).map(([key, item]) => [key, inner(item, `${place}.${key}`)]),
      );
  },
  fields,
});
