import { defineErrors } from '../../core/index.ts';

export const socketErrors = defineErrors({
  'MR-SOCKET-CONNECT': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'cannot connect to {host}:{port}: {problem}; start the server first (for example `nc -lk {port}`)',
    help:
      'The socket source connects to a server that is there already. ECONNREFUSED means that nothing listens on ' +
      'that port; ENOTFOUND that the host name is unknown.',
  },
  'MR-SOCKET-BROKEN': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'the connection to {host}:{port} broke: {problem}',
    help:
      'A socket cannot be read again, so the source does not reconnect: what was sent in between would be missing. ' +
      'Use Kafka where nothing may be lost.',
  },
});
