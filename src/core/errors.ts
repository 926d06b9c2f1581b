/**
 * Errors are rows of tables, one table a room (its errors.ts); docs/generated/errors.md is made from them. An error is
 * classified by its code, never by `instanceof`, because errors cross threads and the network. Whatever is not a row
 * here is a bug: internal, fatal, not retried.
 */

/** Who has to act: who wrote the job or its data, whoever runs what we talk to, or we. */
export type ErrorDomain = 'user' | 'external' | 'internal';
/** The smallest thing that the error ends. */
export type ErrorScope = 'record' | 'task' | 'job' | 'process';
export type ErrorRetry = 'never' | 'backoff';
export type ErrorCode = `MR-${string}`;

export interface ErrorRow {
  readonly domain: ErrorDomain;
  readonly scope: ErrorScope;
  readonly retry: ErrorRetry;
  /** What happened, to what, and what to do next; `{name}` stands for a field. */
  readonly message: string;
  /** A paragraph for `millrace help errors CODE`: causes and remedies. */
  readonly help: string;
}

export type ErrorFields = Readonly<Record<string, string | number | boolean>>;

/** The form of an error on the wire. */
export interface SerializedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: ErrorFields;
  readonly domain: ErrorDomain;
  readonly scope: ErrorScope;
  readonly retry: ErrorRetry;
  readonly stack: string | null;
}

export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;
  readonly domain: ErrorDomain;
  readonly scope: ErrorScope;
  readonly retry: ErrorRetry;

  constructor(code: ErrorCode, row: Omit<ErrorRow, 'help'>, fields: ErrorFields, cause?: unknown) {
    super(fillTemplate(row.message, fields), cause === undefined ? {} : { cause });
    this.name = 'MillraceError';
    this.code = code;
    this.fields = fields;
    this.domain = row.domain;
    this.scope = row.scope;
    this.retry = row.retry;
  }
}

function fillTemplate(template: string, fields: ErrorFields): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(fields, name) ? String(fields[name]) : whole,
  );
}

export interface ErrorTable<Code extends ErrorCode = ErrorCode> {
  readonly rows: Readonly<Record<Code, ErrorRow>>;
  /** A new error of this row; throw it or pass it on. */
  create(code: Code, fields: ErrorFields, cause?: unknown): MillraceError;
}

export function defineErrors<const Rows extends Readonly<Record<ErrorCode, ErrorRow>>>(
  rows: Rows,
): ErrorTable<Extract<keyof Rows, ErrorCode>> {
  type Code = Extract<keyof Rows, ErrorCode>;
  return Object.freeze({
    rows: rows as Readonly<Record<Code, ErrorRow>>,
    create: (code: Code, fields: ErrorFields, cause?: unknown) =>
      new MillraceError(code, (rows as Readonly<Record<Code, ErrorRow>>)[code], fields, cause),
  });
}

/** Those that more than one room reports. */
export const coreErrors = defineErrors({
  'MR-INTERNAL': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'internal error: {message}',
    help: 'Something happened that the code does not foresee. Please report it with the log, which holds the stack.',
  },
  'MR-STATE-INCOMPATIBLE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'step {step} cannot take over its state: {reason}; give it a new id, or change it back',
    help:
      'The checkpoint holds state of a step with this id whose kind, key, values or settings differ from what the ' +
      'job file says now, in a way that cannot be converted. `millrace plan JOB --from PATH` says it per step. A ' +
      'step with a new id starts without state; leaving the old state out then takes `--allow-dropped-state`.',
  },
});

/** True for errors of any table, from whatever realm or thread. */
export function isMillraceError(error: unknown): error is MillraceError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('MR-')
  );
}

/** The code of an error of the system, such as ENOSPC; null for any other error. */
export function systemErrorCode(error: unknown): string | null {
  // Not by instanceof: under test runners, errors of Node's modules are of another realm.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : null;
}

/** What the message of a thrown thing says. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}

/** Any thrown thing as an error of the tables; what is not one becomes MR-INTERNAL and keeps its stack as the cause. */
export function toMillraceError(error: unknown): MillraceError {
  if (isMillraceError(error)) return error;
  return coreErrors.create('MR-INTERNAL', { message: messageOf(error) }, error);
}

export function serializeError(error: unknown): SerializedError {
  const known = toMillraceError(error);
  const cause = known.cause;
  const stack = cause instanceof Error ? (cause.stack ?? null) : (known.stack ?? null);
  const { code, message, fields, domain, scope, retry } = known;
  return { code, message, fields, domain, scope, retry, stack };
}

export function deserializeError(error: SerializedError): MillraceError {
  const { code, message, fields, domain, scope, retry } = error;
  // The message is already filled in; braces in it that look like fields stay as they are.
  const known = new MillraceError(code, { message: '', domain, scope, retry }, fields);
  known.message = message;
  if (error.stack !== null) known.stack = error.stack;
  return known;
}
