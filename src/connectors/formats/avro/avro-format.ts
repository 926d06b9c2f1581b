import { formatType, sameType } from '../../../core/index.ts';
import type { FormatDefinition, OptionProblem, Options, RowSchema } from '../../../core/index.ts';
import { RowwiseDecoder } from '../rowwise-decoder.ts';
import { AvroEncoder } from './avro-encoder.ts';
import { avroOptions, avroSchemaOf } from './avro-options.ts';
import { AvroReader } from './avro-reader.ts';

/** Avro's binary form, one datum per record, without a registry's header. */
export const avroFormat: FormatDefinition = Object.freeze({
  name: 'avro',
  doc: 'Avro binary, one datum per record, with the schema in the job file.',
  options: avroOptions,
  framing: 'none',
  canDecode: true,
  canEncode: true,
  fixedSchema: (options) => ({
    fields: avroSchemaOf(options).fields.map(({ name, node: { type } }) => ({ name, type })),
  }),
  check: (schema, options, direction) => (direction === 'encode' ? checkFields(schema, options) : []),
  createDecoder: (spec, metadata) =>
    new RowwiseDecoder(spec, metadata, (wanted) => new AvroReader(avroSchemaOf(spec.format?.options ?? {}), wanted)),
  createEncoder: (spec, fields) => new AvroEncoder(spec, fields, avroSchemaOf(spec.format?.options ?? {})),
} satisfies FormatDefinition);

/** What a sink writes must be what the schema holds: names and types, in any order. */
function checkFields(schema: RowSchema, options: Options): OptionProblem[] {
  const wanted = avroSchemaOf(options).fields;
  const problem = (message: string): OptionProblem => ({
    path: ['avroSchema'],
    what: 'invalid',
    message,
    suggestion: null,
  });
  const extra = schema.fields
    .filter(({ name }) => !wanted.some((field) => field.name === name))
    .map(({ name }) => problem(`the Avro schema has no field \`${name}\``));
  const wrong = wanted.flatMap(({ name, node }) => {
    const given = schema.fields.find((field) => field.name === name);
    if (given === undefined) {
      return node.nullBranch >= 0 ? [] : [problem(`the rows have no field \`${name}\`, which the Avro schema wants`)];
    }
    if (sameType(given.type, node.type)) return [];
    return [problem(`\`${name}\` is ${formatType(given.type)}, the Avro schema wants ${formatType(node.type)}`)];
  });
  return [...extra, ...wrong];
}
