import type { MillraceError } from '../../../core/index.ts';
import { isTerminalJob } from '../../../rpc/index.ts';
import type { JobDetails, JobFailure } from '../../cluster-service.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';

const exceptionSchema = json.object({
  exceptionName: json.text,
  stacktrace: json.text,
  timestamp: json.time,
  failureLabels: json.map(json.text),
  taskName: json.nullable(json.text),
  endpoint: json.nullable(json.text),
  taskManagerId: json.nullable(json.text),
  concurrentExceptions: json.list(json.text),
});

/** GET /jobs/:jobid/exceptions */
export const exceptionsSchema: JsonSchema = json.object({
  'root-exception': json.nullable(json.text),
  timestamp: json.nullable(json.time),
  'all-exceptions': json.list(
    json.object({ exception: json.text, task: json.text, location: json.text, timestamp: json.time }),
  ),
  truncated: json.flag,
  exceptionHistory: json.object({ entries: json.list(exceptionSchema), truncated: json.flag }),
});

/** Newest first, at most so many. */
export function exceptionsView({ failures }: JobDetails, maxExceptions: number): unknown {
  const shown = failures.slice(0, maxExceptions);
  const [newest] = shown;
  const truncated = failures.length > shown.length;
  return {
    'root-exception': newest === undefined ? null : textOf(newest.error),
    timestamp: newest?.atMs ?? null,
    'all-exceptions': [],
    truncated,
    exceptionHistory: { entries: shown.map(exceptionView), truncated },
  };
}

function exceptionView({ atMs, error }: JobFailure): unknown {
  const { domain, scope, fields } = error;
  return {
    exceptionName: error.code,
    stacktrace: textOf(error),
    timestamp: atMs,
    failureLabels: { domain, scope },
    taskName: Object.hasOwn(fields, 'step') ? String(fields['step']) : null,
    endpoint: null,
    taskManagerId: null,
    concurrentExceptions: [],
  };
}

/** What went wrong; where it is our mistake, with the stack that a report of it needs. */
function textOf(error: MillraceError): string {
  const head = `${error.code}: ${error.message}`;
  return error.domain === 'internal' && typeof error.stack === 'string' ? `${head}\n${error.stack}` : head;
}

/** GET /jobs/:jobid/execution-result */
export const executionResultSchema: JsonSchema = json.object(
  { status: json.object({ id: json.oneOf('COMPLETED', 'IN_PROGRESS') }) },
  {
    'job-execution-result': json.object(
      {
        id: hexId,
        'application-status': json.oneOf('SUCCEEDED', 'FAILED', 'CANCELED'),
        'accumulator-results': json.map(json.text),
        'net-runtime': json.integer,
      },
      { 'failure-cause': json.object({ class: json.text, 'stack-trace': json.text }) },
    ),
  },
);

export function executionResultView(job: JobDetails): unknown {
  const { jobId, state, startedAtMs, endedAtMs, failures } = job;
  if (!isTerminalJob(state)) return { status: { id: 'IN_PROGRESS' } };
  const error = state === 'FAILED' ? failures[0]?.error : undefined;
  return {
    status: { id: 'COMPLETED' },
    'job-execution-result': {
      id: jobId,
      'application-status': state === 'FINISHED' ? 'SUCCEEDED' : state,
      'accumulator-results': {},
      'net-runtime': Math.max(0, (endedAtMs ?? startedAtMs) - startedAtMs),
      ...(error === undefined ? {} : { 'failure-cause': { class: error.code, 'stack-trace': textOf(error) } }),
    },
  };
}
