import { isMillraceError, messageOf } from '../core/index.ts';
import { haErrors } from './errors.ts';

/** Whatever fails in `act` without a code of its own is MR-HA-UNAVAILABLE. */
export async function reportingFailure<T>(
  what: { readonly operation: string; readonly record: string; readonly directory: string },
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isMillraceError(error)) throw error;
    throw haErrors.create('MR-HA-UNAVAILABLE', { ...what, reason: messageOf(error) }, error);
  }
}
