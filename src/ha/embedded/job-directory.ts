import { createHash } from 'node:crypto';
import { join } from 'node:path';

const PLAIN_NAME = /^[A-Za-z0-9_-](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?$/;
/** Windows keeps these for devices, with any extension. */
const DEVICE_NAME = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
const MAX_READABLE_LENGTH = 60;
const HASH_DIGITS = 16;

/**
 * The directory of a job: its name where that is safe everywhere, else its safe characters, `~` and a hash. No two
 * names share one; where the file system ignores case, the record tells whose it is.
 */
export function jobDirectory(dataDirectory: string, jobName: string): string {
  return join(dataDirectory, directoryName(jobName));
}

/** Root of the job's checkpoint storage, beside its record. */
export function embeddedCheckpointDirectory(dataDirectory: string, jobName: string): string {
  return join(jobDirectory(dataDirectory, jobName), 'checkpoints');
}

/** Where processes that run the job put what lives no longer than they. */
export function embeddedWorkDirectory(dataDirectory: string, jobName: string): string {
  return join(jobDirectory(dataDirectory, jobName), 'work');
}

function directoryName(jobName: string): string {
  if (PLAIN_NAME.test(jobName) && !DEVICE_NAME.test(jobName)) return jobName;
  const readable = jobName.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, MAX_READABLE_LENGTH);
  // Of UTF-16 units, because names may differ in lone surrogates, which UTF-8 lacks.
  const hash = createHash('sha256').update(Buffer.from(jobName, 'utf16le')).digest('hex').slice(0, HASH_DIGITS);
  return `${readable}~${hash}`;
}
