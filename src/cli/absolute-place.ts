import { resolve } from 'node:path';

import { isStorageUrl, parseStorageLocation } from '../core/index.ts';
import { cliErrors } from './errors.ts';

/** What somebody has called a place in an option, made absolute; MR-CLI-USAGE where it is none. */
export function absolutePlace(location: string, option: string): string {
  const parsed = parseStorageLocation(location);
  if (parsed.kind !== 'unusable') return isStorageUrl(location) ? location : resolve(location);
  throw cliErrors.create('MR-CLI-USAGE', { problem: `${option} ${location}: it ${parsed.problem}` });
}
