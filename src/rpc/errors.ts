import { defineErrors } from '../core/index.ts';
import type { MillraceError } from '../core/index.ts';

/** The largest message between processes. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

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
    message: 'the {kind} at {address} cannot be reached: {reason}',
    help:
      'The process that should answer there has ended, has not started yet, hangs, or the network is cut off. See ' +
      'its log. The field `outcome` says whether the call may have been carried out: `none` or `unknown`.',
  },
  'MR-RPC-UNAUTHORIZED': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'the process at {address} takes no calls from here: {reason}; give all processes of a cluster one token',
    help:
      'Processes of one cluster know each other by a token. This one sent none, or another one than the process at ' +
      'that address has. Give both the same; perhaps the address belongs to another cluster.',
  },
  'MR-RPC-VERSION': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'the process at {address} speaks another version of the protocol: {reason}',
    help:
      'Two releases next to each other understand each other, so that a cluster can be upgraded while it runs, one ' +
      'process after the other. These two are further apart: upgrade over the releases between them.',
  },
  'MR-RPC-NO-METHOD': {
    domain: 'internal',
    scope: 'task',
    retry: 'never',
    message: 'the {kind} at {address} does not know the call {method}: its process is of an earlier release',
    help: 'While a cluster is being upgraded, processes of two releases work together. Upgrade the other process, too.',
  },
  'MR-RPC-BAD-MESSAGE': {
    domain: 'internal',
    scope: 'task',
    retry: 'never',
    message: 'a message to or from the {kind} at {address} ({method}) cannot be read: {reason}',
    help: 'What arrived is not what the other side should have sent. Please report it with the logs of both processes.',
  },
  'MR-RPC-TOO-LARGE': {
    domain: 'external',
    scope: 'task',
    retry: 'never',
    message: 'a message to or from the {kind} at {address} ({method}) has {sizeBytes} bytes, more than {limitBytes}',
    help:
      'Messages between processes have a limit. A job whose description or snapshot is larger has very many tasks or ' +
      'settings: lower its parallelism, or share it out over several jobs.',
  },
  'MR-RPC-LISTEN': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'this process cannot listen at {address}: {reason}',
    help: 'Perhaps another process listens there already, or the address is not one of this machine. Choose another.',
  },
});

/** The call has certainly had no effect, or may have had one, or will have one yet. */
export type CallOutcome = 'none' | 'unknown';

export function unreachable(kind: string, address: string, reason: string, outcome: CallOutcome): MillraceError {
  return rpcErrors.create('MR-RPC-UNREACHABLE', { kind, address, reason, outcome });
}

export function tooLarge(kind: string, address: string, method: string, sizeBytes: number): MillraceError {
  return rpcErrors.create('MR-RPC-TOO-LARGE', { kind, address, method, sizeBytes, limitBytes: MAX_MESSAGE_BYTES });
}
