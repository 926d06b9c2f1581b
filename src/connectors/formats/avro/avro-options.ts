import { defineOptions, isMillraceError } from '../../../core/index.ts';
import type { Options, OptionValue } from '../../../core/index.ts';
import { parseAvroSchema, type AvroNode } from './avro-schema.ts';

export const avroOptions = defineOptions({
  avroSchema: {
    kind: 'any',
    required: true,
    doc: 'The Avro schema of the records, a record schema: as YAML, or as the text of an .avsc file.',
    aliases: ['avro-confluent.schema', 'schema'],
    validate: (value) => {
      try {
        parseAvroSchema(value);
        return null;
      } catch (error) {
        return isMillraceError(error) ? `is not usable: ${String(error.fields['problem'])}` : String(error);
      }
    },
    scope: 'format',
  },
});

/** The parsed schema of a format's options. */
export function avroSchemaOf(options: Options): AvroNode {
  return parseAvroSchema(options['avroSchema'] as OptionValue);
}
