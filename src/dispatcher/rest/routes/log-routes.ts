/** What processes have written, under Flink's paths: a `.log` for standard error, a `.out` for standard output. */
import type { LogKind, WrittenLog } from '../../../rpc/index.ts';
import { clusterErrors } from '../../errors.ts';
import type { ClusterService } from '../../cluster-service.ts';
import { json, type JsonSchema } from '../json-schema.ts';
import type { Call, RestWorld, Route } from '../route.ts';
import { taskManagerOf, taskManagerParams } from './ask.ts';

const KINDS: readonly LogKind[] = ['log', 'stdout'];
const ENDINGS: Readonly<Record<LogKind, string>> = { log: '.log', stdout: '.out' };

const listSchema = json.object({
  logs: json.list(json.object({ name: json.text, size: json.integer, mtime: json.time })),
});
const fileName = json.matching(/^[a-z]+\.(?:log|out)$/);

type ReadLog = (kind: LogKind, call: Call, service: ClusterService) => Promise<WrittenLog>;

interface Source {
  readonly path: string;
  /** Of its files, without the ending. */
  readonly name: string;
  readonly what: string;
  readonly params: JsonSchema | null;
  readonly read: ReadLog;
}

export function logRoutes({ ownLog, logOf }: RestWorld): readonly Route[] {
  return [
    ...routesOf({
      path: '/jobmanager',
      name: 'jobmanager',
      what: 'the leading Dispatcher',
      params: null,
      read: async (kind) => ownLog?.(kind) ?? missing(kind),
    }),
    ...routesOf({
      path: '/taskmanagers/:taskmanagerid',
      name: 'taskmanager',
      what: 'a TaskManager',
      params: taskManagerParams,
      read: async (kind, call, service) => {
        const { address } = taskManagerOf(call, service);
        return (await logOf?.(address, kind)) ?? missing(kind);
      },
    }),
  ];
}

function routesOf(source: Source): readonly Route[] {
  const { path, name, what, params, read } = source;
  const common = { method: 'GET', role: 'view', answeredBy: 'leader', ...(params === null ? {} : { params }) } as const;
  const textAnswer = { status: 200, mediaType: 'text/plain', schema: json.text } as const;
  const textOf = async (kind: LogKind, call: Call, service: ClusterService): Promise<string> =>
    (await read(kind, call, service)).text;
  return [
    {
      ...common,
      path: `${path}/logs`,
      summary: `What ${what} has written, by name; \`size\` is all of it, of which the end is kept`,
      answer: { status: 200, schema: listSchema },
      handle: async (call, service) => ({
        logs: await Promise.all(
          KINDS.map(async (kind) => {
            const { writtenBytes, lastWrittenAtMs } = await read(kind, call, service);
            return { name: name + ENDINGS[kind], size: writtenBytes, mtime: lastWrittenAtMs ?? -1 };
          }),
        ),
      }),
    },
    {
      ...common,
      path: `${path}/logs/:logname`,
      summary: `The end of one of the logs of ${what}`,
      params: withName(params),
      answer: textAnswer,
      handle: (call, service) => {
        const asked = call.params['logname'] ?? '';
        return textOf(KINDS.find((kind) => name + ENDINGS[kind] === asked) ?? missing(asked), call, service);
      },
    },
    ...KINDS.map(
      (kind): Route => ({
        ...common,
        path: `${path}/${kind}`,
        summary: `The end of what ${what} has written to standard ${kind === 'log' ? 'error' : 'output'}`,
        answer: textAnswer,
        handle: (call, service) => textOf(kind, call, service),
      }),
    ),
  ];
}

function withName(params: JsonSchema | null): JsonSchema {
  const { properties = {} } = (params ?? {}) as { readonly properties?: Readonly<Record<string, JsonSchema>> };
  return json.object({ ...properties, logname: fileName });
}

function missing(id: string): never {
  throw clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'log', id });
}
