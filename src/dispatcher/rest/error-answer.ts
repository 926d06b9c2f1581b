import type { ServerResponse } from 'node:http';

import { isMillraceError, messageOf } from '../../core/index.ts';
import { asJobFileProblems } from '../job-file-problems.ts';
import { json, type JsonSchema } from './json-schema.ts';
import { publicError, publicErrorSchema } from './public-error.ts';

const RETRY_AFTER_SECONDS = 1;

/** Flink's form, with what our own clients need to show the error as if it were theirs. */
export const errorSchema: JsonSchema = json.object(
  { errors: json.list(json.text) },
  {
    error: publicErrorSchema,
    problems: json.list(
      json.object({
        fileName: json.text,
        line: json.integer,
        column: json.integer,
        endColumn: json.integer,
        code: json.text,
        message: json.text,
        expected: json.nullable(json.text),
        suggestion: json.nullable(json.text),
      }),
    ),
  },
);

export interface ErrorAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Codes whose status their domain does not tell. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  'MR-CLUSTER-NOT-FOUND': 404,
  'MR-CLUSTER-NO-PREVIEW': 422,
  'MR-REST-UNAUTHORIZED': 401,
  'MR-REST-FORBIDDEN': 403,
  'MR-REST-NO-CODE': 403,
  'MR-REST-CONFLICT': 409,
  'MR-HA-FENCED': 503,
  'MR-HA-UNAVAILABLE': 503,
  'MR-RPC-STALE-EPOCH': 503,
};

/** What is answered for anything that was thrown. Stacks stay here. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (!isMillraceError(error)) {
    const status = httpStatusOf(error);
    if (status !== null) return { status, body: { errors: [messageOf(error)] } };
  }
  const told = publicError(error);
  const { code, message, domain, retry } = told;
  const ofFile = asJobFileProblems(error);
  return {
    status: STATUS_BY_CODE[code] ?? (domain === 'user' ? 400 : retry === 'backoff' ? 503 : 500),
    body: {
      errors: ofFile === null ? [`${code}: ${message}`] : ofFile.lines,
      error: told,
      ...(ofFile === null ? {} : { problems: ofFile.problems }),
    },
  };
}

/** Of errors that the HTTP server makes about requests; what it says of itself is a bug like any other. */
function httpStatusOf(error: unknown): number | null {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : null;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}

export function headersOf(status: number): Readonly<Record<string, string>> {
  if (status === 503) return { 'retry-after': String(RETRY_AFTER_SECONDS) };
  return status === 401 ? { 'www-authenticate': 'Bearer realm="millrace"' } : {};
}

/** Answers where the framework does not any more. */
export function writeError(response: ServerResponse, error: unknown): void {
  const { status, body } = errorAnswer(error);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headersOf(status) });
  response.end(JSON.stringify(body));
}
