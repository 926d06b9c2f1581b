import { defineErrors } from '../core/index.ts';

export const schedulerErrors = defineErrors({
  'MR-JOB-ILLEGAL-MOVE': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: '{what} cannot go from {from} to {to}',
    help: 'A bug in the scheduler. Please report it with the log of the Dispatcher.',
  },
  'MR-JOB-NO-SLOTS': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'the job needs {needed} slots; {free} of {total} are free, and none came within {seconds} s',
    help:
      'A job takes as many slots as its largest parallelism. Start more TaskManagers, give them more slots, end ' +
      'other jobs, or lower the parallelism.',
  },
  'MR-JOB-NO-CONNECTOR': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'there is no {kind} connector {connector}',
    help: 'Run `millrace list connectors` for the connectors of this build.',
  },
  'MR-JOB-BAD-GRAPH': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the job graph cannot be run: {problem}',
    help: 'The graph was not made by this version of Millrace, or was changed. Make it anew from the job file.',
  },
});
