import { defineOptions, formatType } from '../../../core/index.ts';
import type {
  DataType,
  FormatDefinition,
  OptionProblem,
  Options,
  OptionValues,
  RowSchema,
} from '../../../core/index.ts';
import { JsonDecoder } from './json-decoder.ts';
import { JsonEncoder } from './json-encoder.ts';

const options = defineOptions({
  timestamps: {
    kind: 'enum',
    values: ['iso-8601', 'epoch-millis'],
    default: 'iso-8601',
    doc: 'How timestamps are written. Both are read.',
    aliases: ['json.timestamp-format.standard', 'timestamp-format'],
    scope: 'format',
  },
  nulls: {
    kind: 'enum',
    values: ['write', 'omit'],
    default: 'write',
    doc: 'Whether a field that is NULL is written as `null` or left out. A missing field is read as NULL.',
    aliases: ['json.encode.ignore-null-fields', 'encode.ignore-null-fields'],
    scope: 'format',
  },
});

/** One JSON object per record, its keys the fields' names. See docs/design/006-formats.md for what is accepted. */
export const jsonFormat: FormatDefinition = Object.freeze({
  name: 'json',
  doc: 'JSON objects, one per record (or per line of a file or socket).',
  options,
  framing: 'lines',
  canDecode: true,
  canEncode: true,
  fixedSchema: () => null,
  check: (schema: RowSchema): readonly OptionProblem[] =>
    schema.fields.flatMap(({ name, type }) => checkType(name, type)),
  createDecoder: (spec, metadata) => new JsonDecoder(spec, metadata),
  createEncoder: (spec, fields) => new JsonEncoder(spec, fields, textOptions(spec.format?.options ?? {})),
} satisfies FormatDefinition);

function textOptions(given: Options) {
  const { timestamps, nulls } = given as OptionValues<typeof options>;
  return { epochMillis: timestamps === 'epoch-millis', omitNulls: nulls === 'omit' };
}

/** Keys of JSON objects are strings: a map's key must have a text that reads back. */
function checkType(name: string, type: DataType): OptionProblem[] {
  switch (type.kind) {
    case 'array':
      return checkType(name, type.element);
    case 'row':
      return type.fields.flatMap((field) => checkType(`${name}.${field.name}`, field.type));
    case 'map': {
      const nested = checkType(name, type.value);
      if (KEY_KINDS.has(type.key.kind)) return nested;
      const message = `field \`${name}\`: JSON has no keys of type ${formatType(type.key)}; use string`;
      return [{ path: ['format'], what: 'invalid', message, suggestion: null }, ...nested];
    }
    default:
      return [];
  }
}

const KEY_KINDS = new Set(['string', 'int', 'long', 'decimal', 'boolean', 'float', 'double']);
