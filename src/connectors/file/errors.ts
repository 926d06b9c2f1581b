import { defineErrors, isMillraceError } from '../../core/index.ts';

export const fileErrors = defineErrors({
  'MR-FILE-NOT-FOUND': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'no file matches `{path}`; paths are relative to the directory that the process was started in',
    help:
      'Give a path or a glob (`data/*.jsonl`, quoted in YAML because of the star). With `follow: true` the source ' +
      'waits for files to appear.',
  },
  'MR-FILE-READ': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'cannot read {path}: {problem}',
    help: 'The file cannot be opened or read: look at its permissions and at the disk.',
  },
  'MR-FILE-LOOKUP': {
    domain: 'external',
    scope: 'record',
    retry: 'backoff',
    message: 'cannot read the table {path} again: {problem}',
    help:
      'The file has changed and what it holds now cannot be read, perhaps because it is being written. Write tables ' +
      'under another name and rename them when they are whole.',
  },
  'MR-FILE-CHANGED': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{path} is not the file that was read before: {problem}',
    help:
      'The job resumes at a position inside the file, but the file has been replaced or cut since. Start anew with ' +
      '`--fresh`, or put the old file back.',
  },
  'MR-FILE-EXISTS': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{path} already holds output ({file}); set `overwrite: true` to replace it, or write elsewhere',
    help: 'The file sink never mixes the output of two jobs, and never deletes what it was not told to delete.',
  },
  'MR-FILE-WRITE': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'cannot write {path}: {problem}',
    help: 'The file cannot be created or written: look at its permissions and at the space on the disk.',
  },
  'MR-FILE-LOST': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message:
      'output of completed checkpoint {checkpoint} (step {step}, subtask {subtask}) is lost: neither {path} nor ' +
      '{temporary} is whole ({problem}); start from an earlier checkpoint to write it again',
    help:
      'The sink had made the file durable under its temporary name. Somebody has removed, moved or cut it since, or ' +
      'the directory is not the one that the job wrote to. Programs that take files away may take any whose name ' +
      'begins with `part-`; files whose names begin with a dot are the sink\'s.',
  },
});

/** Does the work; what the system answers becomes an error that names the file. */
export async function describeWriteErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isMillraceError(error) || error instanceof TypeError) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    throw fileErrors.create('MR-FILE-WRITE', { path, problem }, error);
  }
}
