import { describe, expect, it } from '@jest/globals';

import { CutShortError, faultOf, s3Failure, UnansweredError, type S3Fault } from './s3-fault.ts';

/** As the client makes them of answers, and of connections. */
function failure(name: string, status: number | null, message = 'what the service says', code?: string): Error {
  const metadata = status === null ? {} : { $metadata: { httpStatusCode: status } };
  return Object.assign(new Error(message), { name, ...metadata, ...(code === undefined ? {} : { code }) });
}

const request = { operation: 'write', bucket: 'bucket', file: 's3://bucket/key', endpoint: 'http://there' };

const table: readonly (readonly [S3Fault, string, Error])[] = [
  ['transient', 'MR-STATE-UNAVAILABLE', failure('InternalError', 500)],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('SlowDown', 503)],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('Anything', 502)],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('TooManyRequests', 429)],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('RequestTimeout', 400)],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('BadDigest', 400)],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('ConditionalRequestConflict', 409)],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('TimeoutError', null, '')],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('Error', null, '', 'ECONNREFUSED')],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('Error', null, 'socket hang up', 'ECONNRESET')],
  ['transient', 'MR-STATE-UNAVAILABLE', failure('Error', null, 'write EPIPE')],
  ['transient', 'MR-STATE-UNAVAILABLE', new UnansweredError(5)],
  ['transient', 'MR-STATE-UNAVAILABLE', new CutShortError('half')],
  ['other', 'MR-STATE-UNAVAILABLE', failure('MalformedXML', 400)],
  ['other', 'MR-STATE-UNAVAILABLE', new TypeError('a bug')],
  ['unsupported', 'MR-STATE-UNAVAILABLE', failure('NotImplemented', 501)],
  ['precondition', 'MR-STATE-UNAVAILABLE', failure('PreconditionFailed', 412)],
  ['range', 'MR-STATE-UNAVAILABLE', failure('InvalidRange', 416)],
  ['no-key', 'MR-STATE-UNAVAILABLE', failure('NoSuchKey', 404)],
  ['no-upload', 'MR-STATE-UNAVAILABLE', failure('NoSuchUpload', 404)],
  ['no-bucket', 'MR-STATE-NO-BUCKET', failure('NoSuchBucket', 404)],
  ['denied', 'MR-STATE-DENIED', failure('AccessDenied', 403)],
  ['denied', 'MR-STATE-DENIED', failure('Anything', 403)],
  ['credentials', 'MR-STATE-CREDENTIALS', failure('InvalidAccessKeyId', 403)],
  ['credentials', 'MR-STATE-CREDENTIALS', failure('SignatureDoesNotMatch', 403)],
  ['credentials', 'MR-STATE-CREDENTIALS', failure('ExpiredToken', 400)],
  ['credentials', 'MR-STATE-CREDENTIALS', failure('CredentialsProviderError', null, 'Could not load credentials')],
  ['region', 'MR-STATE-REGION', failure('PermanentRedirect', 301)],
  ['region', 'MR-STATE-REGION', failure('AuthorizationHeaderMalformed', 400, "expecting 'eu-west-1'")],
  ['full', 'MR-STATE-FULL', failure('QuotaExceeded', 403)],
  ['full', 'MR-STATE-FULL', failure('XMinioStorageFull', 507)],
];

describe('what a service answers', () => {
  it.each(table)('is %s, and becomes %s: %s', (fault, code, error) => {
    expect(faultOf(error)).toBe(fault);
    const failed = s3Failure(error, request);
    expect(failed.code).toBe(code);
    expect(failed.retry).toBe('backoff');
    expect(failed.message).toContain('bucket');
    expect(failed.cause).toBeUndefined();
  });

  it('is told with its name, its own words, and where it comes from', () => {
    const { message } = s3Failure(failure('SlowDown', 503, 'please'), request);
    expect(message).toBe('cannot write s3://bucket/key: http://there: SlowDown: please');
    const refused = ['::1:1', '127.0.0.1:1'].map((address) => new Error(`connect ECONNREFUSED ${address}`));
    const tried = new AggregateError(refused, '');
    expect(s3Failure(tried, request).message).toContain('::1:1; connect ECONNREFUSED 127');
  });

  it('that is classified already is passed on', () => {
    const known = s3Failure(failure('AccessDenied', 403), request);
    expect(s3Failure(known, { ...request, operation: 'read' })).toBe(known);
  });
});
