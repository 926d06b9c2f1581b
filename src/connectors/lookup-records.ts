import type { LookupSpec, RowSchema, SourceSpec } from '../core/index.ts';

/** What a decoder has to know to read records with these fields, for a lookup. */
export function recordsOf({ stepId, connector, options, format }: LookupSpec, schema: RowSchema): SourceSpec {
  const projection = schema.fields.map((_, index) => index);
  const nothing = { metadata: [], filters: [], errors: { kind: 'fail' } } as const;
  return { stepId, connector, options, format, schema, projection, ...nothing };
}
