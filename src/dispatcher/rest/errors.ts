import { defineErrors } from '../../core/index.ts';

export const restErrors = defineErrors({
  'MR-REST-EXPOSED': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'the REST API would be open to the network at {host}: {missing}',
    help:
      'Whoever reaches the REST API can start and cancel jobs. Anywhere but on this machine (localhost, 127.0.0.1, ' +
      '::1) it needs a token, and TLS, or the explicit word that the network is trusted (`--insecure`).',
  },
  'MR-REST-LISTEN': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: 'cannot serve the REST API at {host}:{port}: {reason}',
    help: 'Another process listens there already, the address is not of this machine, or its certificate is unusable.',
  },
  'MR-REST-UNAUTHORIZED': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'this takes a token (MILLRACE_TOKEN, or `authorization: Bearer`): {reason}',
    help:
      'The cluster has tokens for viewing, operating and deploying; each allows what the ones before it do. Pass one ' +
      'as `--token`, as MILLRACE_TOKEN, or in the header `authorization: Bearer TOKEN`.',
  },
  'MR-REST-FORBIDDEN': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'this is not allowed: {reason}',
    help:
      'The token is for less than what was asked (view, operate, deploy, in this order), or a page of another site ' +
      'has sent the request through a browser.',
  },
  'MR-REST-NO-LEADER': {
    domain: 'external',
    scope: 'process',
    retry: 'backoff',
    message: 'no Dispatcher leads the cluster right now: {reason}',
    help: 'A new leader is elected within seconds of the loss of the old one. Ask again; clients do so by themselves.',
  },
  'MR-REST-BAD-REQUEST': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: '{reason}',
    help: 'The request is not of the form that GET /v1/openapi.json describes.',
  },
  'MR-REST-NO-CODE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'this cluster takes no code with jobs',
    help:
      'Code that comes with a job runs as the TaskManagers do, so a cluster takes it only where its setting ' +
      '`jobs.code-upload` says so: `with-token`, from those who show the token `rest.token.deploy`. Else job files ' +
      'name code that the cluster has in `jobs.code-directory`: `millrace submit --cluster-code`.',
  },
  'MR-REST-BUSY': {
    domain: 'external',
    scope: 'process',
    retry: 'backoff',
    message: '{count} savepoints and restarts of jobs are under way already',
    help: 'The Dispatcher begins no more before some of these have ended. Ask again; clients do so by themselves.',
  },
  'MR-REST-CONFLICT': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'job {job} has ended already: {state}',
    help: 'A job that has ended cannot be cancelled, stopped, rescaled, or write a savepoint.',
  },
});
