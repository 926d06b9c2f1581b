/**
 * JSON Schemas in few words. Those of what comes in are enforced, those of what goes out are what tests hold answers
 * against; all of them stand in the OpenAPI document.
 */
export type JsonSchema = Readonly<Record<string, unknown>>;

type Fields = Readonly<Record<string, JsonSchema>>;

const text: JsonSchema = { type: 'string' };
const integer: JsonSchema = { type: 'integer' };

export const json = Object.freeze({
  text,
  flag: { type: 'boolean' } as JsonSchema,
  integer,
  number: { type: 'number' } as JsonSchema,
  /** Milliseconds since the epoch; -1 where there is no such time (yet), as in Flink. */
  time: { type: 'integer', format: 'int64' } as JsonSchema,
  integerFrom: (minimum: number): JsonSchema => ({ type: 'integer', minimum }),
  matching: (pattern: RegExp): JsonSchema => ({ type: 'string', pattern: pattern.source }),
  oneOf: (...values: readonly string[]): JsonSchema => ({ type: 'string', enum: values }),
  /** Null first: what is checked is turned into the first type that it can be, and null can be an empty text. */
  nullable: (inner: JsonSchema): JsonSchema => ({ anyOf: [{ type: 'null' }, inner] }),
  list: (items: JsonSchema): JsonSchema => ({ type: 'array', items }),
  map: (values: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties: values }),
  /** `fields` are always there, `optional` perhaps, nothing else ever. */
  object: (fields: Fields, optional: Fields = {}): JsonSchema => ({
    type: 'object',
    properties: { ...fields, ...optional },
    required: Object.keys(fields),
    additionalProperties: false,
  }),
});

/** 32 hexadecimal digits: jobs, vertices, triggers. */
export const hexId: JsonSchema = json.matching(/^[0-9a-f]{32}$/);
