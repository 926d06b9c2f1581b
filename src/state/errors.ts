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
  'MR-STATE-NO-BUCKET': {
    domain: 'user',
    scope: 'task',
    retry: 'backoff',
    message: 'there is no bucket {bucket} at {endpoint}, in which {file} would be; make it, or correct the name',
    help:
      'Buckets are never made by a job. Where the service is not AWS, `endpoint` of `checkpoint: {s3: …}` says where ' +
      'it is; some services want `pathStyle: true`.',
  },
  'MR-STATE-DENIED': {
    domain: 'user',
    scope: 'task',
    retry: 'backoff',
    message: 'not allowed to {operation} {file}: {reason}',
    help:
      'The credentials are known, but may not do that. On the prefix of the checkpoints they need s3:GetObject, ' +
      's3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload, on the bucket s3:ListBucket and, to tidy up what ' +
      'processes that died had not finished writing, s3:ListBucketMultipartUploads.',
  },
  'MR-STATE-CREDENTIALS': {
    domain: 'user',
    scope: 'task',
    retry: 'backoff',
    message: '{endpoint} does not accept who asks for {file}: {reason}',
    help:
      'There are no credentials, or they are wrong or have expired. They are taken from `accessKeyId` and ' +
      '`secretAccessKey` of `checkpoint: {s3: …}` (best as `${VARIABLES}`), else as AWS\'s own tools do: from ' +
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from a profile, or from what the machine or container is given.',
  },
  'MR-STATE-REGION': {
    domain: 'user',
    scope: 'task',
    retry: 'backoff',
    message: 'bucket {bucket}, in which {file} would be, is in another region: {reason}',
    help: 'Give the region of the bucket with `region` of `checkpoint: {s3: …}`, or in AWS_REGION.',
  },
  'MR-STATE-OUT-OF-MEMORY': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message:
      'no memory for state: step {step} takes {bytes}, its slot {all} of {budget}; raise `state: {memory}`, use ' +
      '`state: {backend: disk}`, forget with a `ttl`, or spread keys over a larger `parallelism`',
    help:
      'What the steps of a slot remember has outgrown the budget of the slot, `memory` of the block `state`; without ' +
      'it, a share of the memory of the machine. The job ends with its last checkpoint intact: with another setting ' +
      'it goes on from there. With `backend: disk`, steps whose entries cannot leave memory still count.',
  },
  'MR-STATE-SPILL': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message: 'cannot keep state on the local disk at {place}: {reason}',
    help:
      'With `state: {backend: disk}`, entries that memory has no room for stand in files below the data directory, ' +
      'for as long as the job runs. Is the disk full, or may this user not write there? Nothing is lost: what has to ' +
      'survive is in checkpoints, and the job is restarted from the last one.',
  },
  'MR-STATE-NOT-FOUND': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'no checkpoint or savepoint at {location}: {reason}',
    help:
      'A checkpoint is a directory that holds one file `….metadata` beside the files of state. Give the directory or ' +
      'the metadata file, as a path or as a URL `s3://BUCKET/PREFIX`.',
  },
});
