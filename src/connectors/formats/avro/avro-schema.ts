/**
 * Avro schemas (specification 1.12) as trees of the engine's types. avsc says whether a schema is one; what it means
 * for columns is decided here:
 *
 * | Avro | type |
 * |---|---|
 * | boolean, int, long, float, double, string, bytes | the same |
 * | enum; fixed | string; bytes |
 * | array, map, record | array, map with string keys, row |
 * | union of null and one other | that one |
 * | date; decimal | the same |
 * | time-millis, time-micros | time |
 * | timestamp-millis, timestamp-micros, local-timestamp-millis, local-timestamp-micros | timestamp |
 *
 * Microseconds are cut to milliseconds. Other unions, null alone, recursive records, and what takes no bytes (a hostile
 * record could claim to hold billions of them) are refused.
 */
import avsc from 'avsc';
import { MAX_DECIMAL_PRECISION, types } from '../../../core/index.ts';
import type { DataType, OptionValue } from '../../../core/index.ts';
import { formatErrors } from '../errors.ts';

export type AvroKind =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'string'
  | 'bytes'
  | 'fixed'
  | 'enum'
  | 'array'
  | 'map'
  | 'record'
  | 'time-micros'
  | 'timestamp-millis'
  | 'timestamp-micros'
  | 'decimal';

export interface AvroNode {
  readonly kind: AvroKind;
  readonly type: DataType;
  /** The branch of a union that is null; -1 where the value is no union. */
  readonly nullBranch: -1 | 0 | 1;
  /** Bytes of a fixed; -1 where a length stands in front. */
  readonly size: number;
  readonly symbols: readonly string[];
  /** Of an array or a map. */
  readonly items: AvroNode | null;
  /** Of a record. */
  readonly fields: readonly AvroField[];
}

export interface AvroField {
  readonly name: string;
  readonly node: AvroNode;
}

type Json = Readonly<Record<string, unknown>>;

/** The tree of a record schema; throws MR-FORMAT-OPTIONS. */
export function parseAvroSchema(given: OptionValue): AvroNode {
  const schema: unknown = typeof given === 'string' ? parseText(given) : given;
  try {
    avsc.Type.forSchema(schema as avsc.Schema);
  } catch (error) {
    throw unusable(String((error as { message?: unknown }).message ?? error));
  }
  const node = new SchemaParser().parse(schema, '', 'the record');
  if (node.kind !== 'record') throw unusable('it must be a record schema: its fields become the fields of the source');
  return node;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unusable(`its text is no JSON: ${String((error as { message?: unknown }).message)}`);
  }
}

function unusable(problem: string): Error {
  return formatErrors.create('MR-FORMAT-OPTIONS', { format: 'avro', problem });
}

interface NamedType {
  readonly schema: Json;
  /** Null while it is being parsed. */
  node: AvroNode | null;
}

const PRIMITIVES: Readonly<Record<string, DataType>> = {
  boolean: types.boolean,
  int: types.int,
  long: types.long,
  float: types.float,
  double: types.double,
  string: types.string,
  bytes: types.bytes,
};

class SchemaParser {
  readonly #named = new Map<string, NamedType>();

  parse(schema: unknown, namespace: string, path: string): AvroNode {
    if (Array.isArray(schema)) return this.#union(schema, namespace, path);
    if (typeof schema === 'string') return this.#reference(schema, namespace, path);
    const object = schema as Json;
    if (typeof object['type'] === 'object') return this.parse(object['type'], namespace, path);
    switch (object['type']) {
      case 'record':
      case 'error':
      case 'enum':
      case 'fixed':
        return this.#declare(object, namespace, path);
      case 'array': {
        const items = this.parse(object['items'], namespace, `${path}[]`);
        return node('array', types.array(items.type), { items });
      }
      case 'map': {
        const items = this.parse(object['values'], namespace, `${path}{}`);
        return node('map', types.map(types.string, items.type), { items });
      }
      default:
        return logical(object, path) ?? this.#reference(object['type'] as string, namespace, path);
    }
  }

  #reference(name: string, namespace: string, path: string): AvroNode {
    const primitive = PRIMITIVES[name];
    if (primitive !== undefined) return node(name as AvroKind, primitive);
    if (name === 'null') throw unusable(`${path} is always null; leave it out`);
    const known = this.#named.get(fullName(name, namespace)) ?? this.#named.get(name);
    if (known === undefined) throw unusable(`${path}: there is no type ${name}`);
    if (known.node === null) throw unusable(`${path}: the record ${name} holds itself, which no row can`);
    return known.node;
  }

  #declare(schema: Json, outer: string, path: string): AvroNode {
    const name = fullName(schema['name'] as string, (schema['namespace'] as string | undefined) ?? outer);
    const entry: NamedType = { schema, node: null };
    this.#named.set(name, entry);
    entry.node = this.#declared(schema, name.split('.').slice(0, -1).join('.'), path);
    return entry.node;
  }

  #declared(schema: Json, namespace: string, path: string): AvroNode {
    switch (schema['type']) {
      case 'enum':
        return node('enum', types.string, { symbols: schema['symbols'] as readonly string[] });
      case 'fixed': {
        if (Number(schema['size']) === 0) throw unusable(`${path} is fixed with no bytes`);
        const decimal = logical(schema, path);
        return { ...(decimal ?? node('fixed', types.bytes)), size: Number(schema['size']) };
      }
      default: {
        const fields = (schema['fields'] as readonly Json[]).map((field): AvroField => {
          const name = String(field['name']);
          return { name, node: this.parse(field['type'], namespace, path === 'the record' ? name : `${path}.${name}`) };
        });
        if (fields.length === 0) throw unusable(`${path} has no fields`);
        const rowFields = fields.map(({ name, node: { type } }) => ({ name, type }));
        return node('record', types.row(rowFields), { fields });
      }
    }
  }

  #union(branches: readonly unknown[], namespace: string, path: string): AvroNode {
    const nullBranch = branches.findIndex((branch) => branch === 'null' || (branch as Json)['type'] === 'null');
    const others = branches.filter((_, index) => index !== nullBranch);
    if (others.length !== 1 || branches.length > 2) {
      throw unusable(`${path} is a union of ${branches.length} types; a column holds one, or one and null`);
    }
    const inner = this.parse(others[0], namespace, path);
    return nullBranch < 0 ? throwSingle(path) : { ...inner, nullBranch: nullBranch as 0 | 1 };
  }
}

function throwSingle(path: string): never {
  throw unusable(`${path} is a union of one type; write the type alone`);
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function node(kind: AvroKind, type: DataType, parts: Partial<AvroNode> = {}): AvroNode {
  return { kind, type, nullBranch: -1, size: -1, symbols: [], items: null, fields: [], ...parts };
}

/** The node of a logical type; null where there is none, or one that means nothing here (the specification's rule). */
function logical(schema: Json, path: string): AvroNode | null {
  switch (`${String(schema['type'])}:${String(schema['logicalType'])}`) {
    case 'int:date':
      return node('int', types.date);
    case 'int:time-millis':
      return node('int', types.time);
    case 'long:time-micros':
      return node('time-micros', types.time);
    case 'long:timestamp-millis':
    case 'long:local-timestamp-millis':
      return node('timestamp-millis', types.timestamp);
    case 'long:timestamp-micros':
    case 'long:local-timestamp-micros':
      return node('timestamp-micros', types.timestamp);
    case 'bytes:decimal':
    case 'fixed:decimal': {
      const [precision, scale] = [Number(schema['precision']), Number(schema['scale'] ?? 0)];
      if (!(precision >= 1 && precision <= MAX_DECIMAL_PRECISION && scale >= 0 && scale <= precision)) {
        throw unusable(`${path}: decimal(${precision},${scale}) has more digits than ${MAX_DECIMAL_PRECISION}`);
      }
      return node('decimal', types.decimal(precision, scale));
    }
    default:
      return null;
  }
}
