import { bundleOf, jobId as toJobId } from '../../../core/index.ts';
import type { StartMode } from '../../../scheduler/index.ts';
import type { SubmitJob, SubmittedCode, SubmittedModule } from '../../cluster-service.ts';
import { restErrors } from '../errors.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';
import { JSON_TYPE, YAML } from '../media-types.ts';
import type { Call, RestWorld, Route } from '../route.ts';
import { fieldOf, isSet, textOf } from './ask.ts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*=/;
const fileText: JsonSchema = { type: 'string', minLength: 1 };

const moduleSchema = json.object({
  file: json.text,
  name: json.text,
  origin: json.object({ fingerprint: json.text, variables: json.map(json.text) }),
  roles: json.map(json.oneOf('process', 'map', 'filter', 'flat-map', 'lookup')),
});

/** A job file with the code of its steps: docs/design/023. */
const withCodeSchema = json.object({
  job: fileText,
  code: json.object({ files: json.map(json.text) }, { named: json.map(json.text), module: moduleSchema }),
});

export const jobBody = {
  ...{ mediaType: YAML, schema: fileText },
  otherwise: { mediaType: JSON_TYPE, schema: withCodeSchema },
};

export const variablesSchema: JsonSchema = json.list({ type: 'string', pattern: VARIABLE.source });

interface JobWithCode {
  readonly job: string;
  readonly code: {
    readonly files: Readonly<Record<string, string>>;
    readonly named?: Readonly<Record<string, string>>;
    readonly module?: SubmittedModule;
  };
}

export function submitRoute({ takesCode }: RestWorld): Route {
  return {
    method: 'POST',
    path: '/jobs',
    summary:
      'Submits a job file, as YAML, or as JSON with the code of its steps; answered once it is stored. `jobid` is ' +
      'chosen by the client, so that it can ask again; `set` is NAME=value for a variable of the file, and may be ' +
      'repeated',
    role: 'deploy',
    query: json.object(
      {},
      {
        jobid: hexId,
        fresh: json.flag,
        from: { type: 'string', minLength: 1 },
        allowDroppedState: json.flag,
        set: variablesSchema,
      },
    ),
    body: jobBody,
    answer: { status: 202, schema: json.object({ jobid: hexId }) },
    answeredBy: 'leader',
    handle: async (call, service) => ({ jobid: await service.submit(submission(call, takesCode)) }),
  };
}

/** A job that is sent, and what its variables stand for. */
export function jobIn({ body, query }: Call, takesCode: boolean): Pick<SubmitJob, 'text' | 'variables' | 'code'> {
  return { ...jobOf(body, takesCode), variables: variablesOf(fieldOf(query, 'set')) };
}

function submission(call: Call, takesCode: boolean): SubmitJob {
  const { query } = call;
  const from = textOf(query, 'from');
  const isFresh = isSet(query, 'fresh');
  if (isFresh && from !== null) throw badRequest('`fresh` and `from` exclude each other');
  const start: StartMode =
    from !== null ? { kind: 'from', location: from } : { kind: isFresh ? 'fresh' : 'resume' };
  const chosen = textOf(query, 'jobid');
  return {
    ...jobIn(call, takesCode),
    ...(chosen === null ? {} : { jobId: toJobId(chosen) }),
    start,
    allowDroppedState: isSet(query, 'allowDroppedState'),
  };
}

function jobOf(body: unknown, takesCode: boolean): Pick<SubmitJob, 'text' | 'code'> {
  if (typeof body === 'string') return { text: body };
  if (typeof body !== 'object' || body === null) throw badRequest(`a job file is expected, as ${YAML}`);
  if (!takesCode) throw restErrors.create('MR-REST-NO-CODE', {});
  const { job, code } = body as JobWithCode;
  return { text: job, code: codeOf(code) };
}

function codeOf({ files, named = {}, module = null }: Omit<JobWithCode['code'], 'module'> & {
  readonly module?: SubmittedModule | null;
}): SubmittedCode {
  const reading = bundleOf(files);
  if (reading.kind === 'refused') throw badRequest(`the code of the job cannot be taken: ${reading.reason}`);
  const { bundle } = reading;
  for (const file of [...Object.values(named), ...(module === null ? [] : [module.file])]) {
    if (!bundle.files.has(file)) throw badRequest(`${JSON.stringify(file)} is not among the files of the code`);
  }
  return { bundle, named, module };
}

function badRequest(reason: string): Error {
  return restErrors.create('MR-REST-BAD-REQUEST', { reason });
}

function variablesOf(given: unknown): Readonly<Record<string, string>> {
  const settings = Array.isArray(given) ? given.map(String) : [];
  const entries = settings.map((text) => {
    const equals = text.indexOf('=');
    return [text.slice(0, equals), text.slice(equals + 1)] as const;
  });
  return Object.fromEntries(entries);
}
