import { defineErrors } from '../core/index.ts';

export const rpcErrors = defineErrors({
  'MR-RPC-STALE-EPOCH': {
    domain: 'internal',
    scope: 'task',
    retry: 'never',
    message: '{receiver} refused a message of epoch {epoch}: it has seen epoch {newest}',
    help:
      'The message came from a leader that has been replaced. It had no effect; the new leader is in charge. ' +
      'Seen once after a change of leaders it needs no action.',
  },
  'MR-RPC-UNREACHABLE': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'no {kind} is served at {address}',
    help: 'The process that should answer there has ended or has not started yet. See its log.',
  },
});
