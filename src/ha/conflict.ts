import type { MillraceError } from '../core/index.ts';
import { haErrors } from './errors.ts';

/** MR-HA-CONFLICT. Versions are null where nothing is stored. */
export function conflict(record: string, found: number | null, expected: number | null): MillraceError {
  return haErrors.create('MR-HA-CONFLICT', { record, found: shown(found), expected: shown(expected) });
}

function shown(version: number | null): string {
  return version === null ? 'none' : String(version);
}
