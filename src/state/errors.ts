import { defineErrors } from '../core/index.ts';

/** What can go wrong with the files of checkpoints. `file` is a path or URL. */
export const stateErrors = defineErrors({
  'MR-STATE-DAMAGED': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: '{file} is damaged: {reason}; restore it from a copy, or start from an older checkpoint or savepoint',
    help:
      'A file of a checkpoint is missing, shorter than it was, or does not have the checksum that was stored when it ' +
      'was written and read back. It is never used in part. The disk may be failing, or the file was changed, ' +
      'removed or copied incompletely. Give a savepoint, or another checkpoint that is retained, with `--from PATH`; ' +
      'output that was committed after it may then be repeated. `--fresh` begins without any state.',
  },
  'MR-STATE-NEWER-VERSION': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{file} was written by a newer Millrace (format {version}; this one reads up to {known}); upgrade',
    help:
      'Formats of files are numbered, and every version reads its own and the one before. Run the version that wrote ' +
      'the checkpoint, or a newer one.',
  },
  'MR-STATE-FULL': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message: 'no space for {file}: {reason}; free some, or lower `checkpoint: retained`',
    help:
      'The disk, or the quota, of the checkpoint directory is used up. The checkpoint is aborted and what it had ' +
      'written is removed; the last completed one stays valid, and the job goes on until more checkpoints in a row ' +
      'fail than are tolerated.',
  },
  'MR-STATE-UNAVAILABLE': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message: 'cannot {operation} {file}: {reason}',
    help:
      'The checkpoint directory cannot be reached, or does not allow what is done there: is it mounted, and may ' +
      'this user write in it? A checkpoint that cannot be written is aborted; one that cannot be read is asked for ' +
      'again.',
  },
  'MR-STATE-NOT-FOUND': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'no checkpoint or savepoint at {location}: {reason}',
    help:
      'A checkpoint is a directory that holds one file `….metadata` beside the files of state. Give the directory or ' +
      'the metadata file.',
  },
});
