import { serializeError, type SerializedError } from '../../core/index.ts';
import { json, type JsonSchema } from './json-schema.ts';

export const publicErrorSchema: JsonSchema = json.object({
  code: json.text,
  message: json.text,
  domain: json.text,
  scope: json.text,
  retry: json.text,
  fields: { type: 'object' },
});

/** An error as it leaves the process: clients can show it as if it were theirs. Its stack stays here. */
export function publicError(error: unknown): Omit<SerializedError, 'stack'> {
  const { code, message, domain, scope, retry, fields } = serializeError(error);
  return { code, message, domain, scope, retry, fields };
}
