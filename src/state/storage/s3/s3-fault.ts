/** What the answers of a service that speaks S3's protocol mean. */
import { isMillraceError, messageOf, systemErrorCode, type MillraceError } from '../../../core/index.ts';
import { stateErrors } from '../../errors.ts';

export type S3Fault =
  /** Sent again it may well be answered; nobody has to do anything. */
  | 'transient'
  | 'no-key'
  | 'no-bucket'
  /** There is no multipart upload of this id any more. */
  | 'no-upload'
  /** If-None-Match: there is such an object; If-Match: it is another one. */
  | 'precondition'
  /** The range lies behind the object's end. */
  | 'range'
  | 'denied'
  | 'credentials'
  | 'region'
  | 'full'
  /** The service does not know what was asked of it. */
  | 'unsupported'
  | 'other';

/** The request was given no answer in time. */
export class UnansweredError extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

/** The answer ended before it was complete. */
export class CutShortError extends Error {}

const BY_NAME: Readonly<Record<string, S3Fault>> = {
  NoSuchKey: 'no-key',
  NotFound: 'no-key',
  NoSuchBucket: 'no-bucket',
  NoSuchUpload: 'no-upload',
  PreconditionFailed: 'precondition',
  InvalidRange: 'range',
  AccessDenied: 'denied',
  AllAccessDisabled: 'denied',
  AccountProblem: 'denied',
  MethodNotAllowed: 'denied',
  InvalidObjectState: 'denied',
  CredentialsProviderError: 'credentials',
  InvalidAccessKeyId: 'credentials',
  SignatureDoesNotMatch: 'credentials',
  ExpiredToken: 'credentials',
  ExpiredTokenException: 'credentials',
  InvalidToken: 'credentials',
  TokenRefreshRequired: 'credentials',
  PermanentRedirect: 'region',
  TemporaryRedirect: 'region',
  AuthorizationHeaderMalformed: 'region',
  IllegalLocationConstraintException: 'region',
  QuotaExceeded: 'full',
  XMinioStorageFull: 'full',
  XMinioAdminBucketQuotaExceeded: 'full',
  EntityTooLarge: 'full',
  NotImplemented: 'unsupported',
  // Its own checks of what arrived: sent again it arrives whole.
  BadDigest: 'transient',
  ChecksumMismatch: 'transient',
  IncompleteBody: 'transient',
  RequestTimeout: 'transient',
  RequestTimeTooSkewed: 'transient',
  ConditionalRequestConflict: 'transient',
  OperationAborted: 'transient',
  SlowDown: 'transient',
  Throttling: 'transient',
  ThrottlingException: 'transient',
  TooManyRequestsException: 'transient',
  InternalError: 'transient',
  ServiceUnavailable: 'transient',
};

const BY_STATUS: Readonly<Record<number, S3Fault>> = {
  301: 'region',
  307: 'region',
  403: 'denied',
  404: 'no-key',
  408: 'transient',
  409: 'transient',
  412: 'precondition',
  416: 'range',
  425: 'transient',
  429: 'transient',
  501: 'unsupported',
  507: 'full',
};

/** What the system says of connections, in codes and in messages. */
const NETWORK_WORDS = new RegExp(
  '\\b(?:ECONN[A-Z]+|EPIPE|ETIMEDOUT|EHOST[A-Z]+|ENET[A-Z]+|EAI_AGAIN|ENOTFOUND|ERR_STREAM_PREMATURE_CLOSE|' +
    'socket hang up|aborted)\\b',
);

const NO_CREDENTIALS = /credential is missing|Could not load credentials|Resolved credential object is not valid/i;

export function faultOf(error: unknown): S3Fault {
  if (error instanceof UnansweredError || error instanceof CutShortError) return 'transient';
  const { name = '' } = Object(error) as { readonly name?: string };
  const message = messageOf(error);
  const named = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (named !== undefined) return named;
  if (NO_CREDENTIALS.test(message)) return 'credentials';
  const status = statusOf(error);
  if (status !== null) return BY_STATUS[status] ?? (status >= 500 ? 'transient' : 'other');
  const words = `${systemErrorCode(error) ?? ''} ${message}`;
  return name === 'TimeoutError' || NETWORK_WORDS.test(words) ? 'transient' : 'other';
}

function statusOf(error: unknown): number | null {
  const { $metadata: metadata } = Object(error) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return metadata?.httpStatusCode ?? null;
}

export interface S3Request {
  /** Completes "cannot". */
  readonly operation: string;
  readonly bucket: string;
  /** The URL of the object, or of what is listed. */
  readonly file: string;
  /** Where the service is. */
  readonly endpoint: string;
}

/** What is classified already is passed on. What the service has answered beside its message is never shown. */
export function s3Failure(error: unknown, { operation, bucket, file, endpoint }: S3Request): MillraceError {
  if (isMillraceError(error)) return error;
  const reason = reasonOf(error);
  switch (faultOf(error)) {
    case 'no-bucket':
      return stateErrors.create('MR-STATE-NO-BUCKET', { bucket, endpoint, file });
    case 'denied':
      return stateErrors.create('MR-STATE-DENIED', { operation, file, reason });
    case 'credentials':
      return stateErrors.create('MR-STATE-CREDENTIALS', { endpoint, file, reason });
    case 'region':
      return stateErrors.create('MR-STATE-REGION', { bucket, file, reason });
    case 'full':
      return stateErrors.create('MR-STATE-FULL', { file, reason });
    default:
      return stateErrors.create('MR-STATE-UNAVAILABLE', { operation, file, reason: `${endpoint}: ${reason}` });
  }
}

function reasonOf(error: unknown): string {
  const message = messageOf(error).trim();
  const code = systemErrorCode(error);
  const { name = '', errors = [] } = Object(error) as { readonly name?: string; readonly errors?: readonly unknown[] };
  // Where a host has several addresses, each has failed.
  if (message === '' && errors.length > 0) return errors.map(messageOf).join('; ');
  const status = statusOf(error);
  const label = status === null ? (code ?? '') : name === 'Error' || name === '' ? `status ${status}` : name;
  return label === '' || message.includes(label) ? message : message === '' ? label : `${label}: ${message}`;
}
