import { defineErrors } from '../../core/index.ts';

export const httpErrors = defineErrors({
  'MR-HTTP-FAILED': {
    domain: 'external',
    scope: 'record',
    retry: 'backoff',
    message: 'no answer from {host}: {problem}',
    help:
      'The connection could not be made, or broke before the answer was there. ECONNREFUSED means that nothing ' +
      'listens on that port, ENOTFOUND that the host name is unknown.',
  },
  'MR-HTTP-STATUS': {
    domain: 'external',
    scope: 'record',
    retry: 'backoff',
    message: '{host} answered with status {status}{hint}',
    help: 'The service could not answer just now (5xx, or 408 and 429: too slow, too many requests).',
  },
  'MR-HTTP-REFUSED': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: '{host} refused the request with status {status}{hint}',
    help:
      'Asking again would not help: the URL, the headers or the body are not what the service wants. 401 and 403 ask ' +
      'for other credentials (`headers`), 3xx for another `url` (redirections are not followed). Statuses that mean ' +
      'that there is no such row stand in `missing`.',
  },
  'MR-HTTP-ANSWER': {
    domain: 'external',
    scope: 'record',
    retry: 'backoff',
    message: 'the answer of {host} is not what `schema` says: {problem}',
    help:
      'An answer is a JSON object whose keys are the fields of `schema`, or a list of them; `rows` says where in the ' +
      'answer they stand. With `batch` it is a list with one such answer per key, in the order of the keys.',
  },
  'MR-HTTP-KEY': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the URL for {host} cannot hold a key that is `.` or `..`',
    help:
      'In the path of a URL these are steps to another place, however they are encoded: the request would ask for ' +
      'something else. As a parameter (`?id={id}`) or in the body of a POST they are values like any other.',
  },
  'MR-HTTP-TLS': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'cannot use TLS: {reason}',
    help: '`tls` takes PEM text, or paths of files that hold it and that the process can read.',
  },
});
