import { deserializeError, serializeError } from '../core/index.ts';
import type { MillraceError } from '../core/index.ts';

/**
 * An error completed with the step that it happened in and, where it is known, the position of the record: in its
 * fields `step` and `position`, and in its message. An error that names its step already is left as it is.
 */
export function stepFailure(error: unknown, stepId: string, position: string | null): MillraceError {
  const known = serializeError(error);
  if (known.fields['step'] !== undefined) return deserializeError(known);
  const where = position === null ? '' : ` at ${position}`;
  return deserializeError({
    ...known,
    message: `step ${stepId}${where}: ${known.message}`,
    fields: { ...known.fields, step: stepId, ...(position === null ? {} : { position }) },
  });
}
