import { isCheckpointDirectory, METADATA_SUFFIX } from '../../core/index.ts';
import { stateErrors } from '../errors.ts';

/** In messages. */
const MAX_NAMES = 10;

/**
 * Which entry of a directory leads to the one checkpoint that somebody means by it: its metadata, or its directory,
 * where a savepoint has it. Throws MR-STATE-NOT-FOUND, saying what is there.
 */
export function chooseMetadata(location: string, names: readonly string[]): string {
  const entries = [...names].sort();
  const found = entries.filter((name) => name.endsWith(METADATA_SUFFIX));
  if (found.length === 1) return found[0] as string;
  const checkpoints = entries.filter(isCheckpointDirectory);
  const [only] = checkpoints;
  if (found.length === 0 && only !== undefined && checkpoints.length === 1) return only;
  const reason =
    found.length > 1
      ? `it has several, name one: ${shorten(found)}`
      : checkpoints.length > 0
        ? `it holds checkpoints, name one: ${shorten(checkpoints)}`
        : entries.length > 0
          ? `nothing in it ends with ${METADATA_SUFFIX}; it holds ${shorten(entries)}`
          : 'there is no such directory, or it is empty';
  throw stateErrors.create('MR-STATE-NOT-FOUND', { location, reason });
}

function shorten(names: readonly string[]): string {
  return names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ', …' : '');
}
