import { isMillraceError, messageOf, systemErrorCode, type MillraceError } from '../../core/index.ts';
import { stateErrors } from '../errors.ts';

/** No space, no quota, or larger than files may be there. */
const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** `operation` completes "cannot". What is classified already is passed on. */
export function storageFailure(error: unknown, operation: string, file: string): MillraceError {
  if (isMillraceError(error)) return error;
  const reason = messageOf(error);
  return FULL_CODES.has(systemErrorCode(error) ?? '')
    ? stateErrors.create('MR-STATE-FULL', { file, reason }, error)
    : stateErrors.create('MR-STATE-UNAVAILABLE', { operation, file, reason }, error);
}
