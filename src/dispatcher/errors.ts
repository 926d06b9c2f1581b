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
});
