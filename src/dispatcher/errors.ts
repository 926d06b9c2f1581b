import { defineErrors } from '../core/index.ts';

export const clusterErrors = defineErrors({
  'MR-CLUSTER-NOT-FOUND': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'there is no {what} {id} in this cluster',
    help:
      'The id or name is of another cluster, or of a job that ended so long ago that it is forgotten. ' +
      '`millrace list jobs` and `millrace list taskmanagers` show what there is.',
  },
  'MR-CLUSTER-JOB-FILE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'the job file has {count} problem(s), the first in line {line}: {first}',
    help:
      'The Dispatcher has refused the job file; nothing was started. `millrace lint FILE` names every mistake with ' +
      'its line and column.',
  },
  'MR-CLUSTER-PLACE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'checkpoints cannot be kept at {location}: {problem}',
    help:
      'Every process of the cluster writes and reads checkpoints: they need an absolute path of a file system that ' +
      'all of them share, or a URL `s3://BUCKET/PREFIX`.',
  },
  'MR-CLUSTER-PLACES-DAMAGED': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: '{key}, which says where the checkpoints of a job are, is damaged: {reason}',
    help:
      'What the cluster keeps was changed by somebody else. Submit the job anew under another name, with `--from` ' +
      'and the place of its last checkpoint.',
  },
  'MR-CLUSTER-NOT-RESCALABLE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'job {job} cannot be rescaled: {reason}',
    help:
      'A job is rescaled by a savepoint, from which it starts anew with another parallelism: it must take ' +
      'checkpoints and be running. The new parallelism is bound to `maxParallelism`.',
  },
  'MR-CLUSTER-NOT-REBALANCED': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'job {job} cannot be rebalanced: {reason}',
    help:
      'Nothing was changed. A job is rebalanced by a checkpoint, after which its tasks start where they would be ' +
      'placed now: it must take checkpoints and be running, and gain by it. `millrace status JOB` tells where.',
  },
  'MR-CLUSTER-NOT-RUNNING-AGAIN': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'job {job} was stopped and started again, but its tasks have failed before all of them ran: {reason}',
    help:
      'The change is made, and what follows is decided by the restart strategy of the job; nothing of its state is ' +
      'lost. `millrace status JOB` says how it goes on.',
  },
  'MR-CLUSTER-NO-CODE': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'the code {hash} of a job is not there: {reason}',
    help:
      'The code that was submitted with a job is kept until the job has ended. Where it is damaged, what the cluster ' +
      'keeps was changed by somebody else: cancel the job and submit it again.',
  },
  'MR-CLUSTER-NO-PREVIEW': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: 'it cannot be said how the job would be placed: {reason}',
    help:
      'To say it, the Dispatcher looks for what the sources of the job would read. Where they cannot be reached, the ' +
      'job could not be started either.',
  },
  'MR-CLUSTER-NOT-LEADING': {
    domain: 'external',
    scope: 'process',
    retry: 'backoff',
    message: 'this Dispatcher does not lead the cluster any more',
    help: 'Another one does, or will within seconds. Ask again: what was asked for may have been done, or not.',
  },
});
