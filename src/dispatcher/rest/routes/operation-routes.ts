import { messageOf } from '../../../core/index.ts';
import { isTerminalJob } from '../../../rpc/index.ts';
import type { ClusterService } from '../../cluster-service.ts';
import type { OperationKind } from '../async-operations.ts';
import { restErrors } from '../errors.ts';
import { hexId, json } from '../json-schema.ts';
import { JSON_TYPE } from '../media-types.ts';
import type { Call, RestWorld, Route } from '../route.ts';
import { isSet, jobIdOf, jobParams, nothing, numberOf, runningJobOf, textOf, triggerParams } from './ask.ts';
import { outcome, outcomeSchema, triggered } from './operation-outcome.ts';
import { submitRoute } from './submit-route.ts';


/** What changes jobs. */
export function operationRoutes(world: RestWorld): readonly Route[] {
  return [submitRoute(world), ...cancelRoutes(world), ...savepointRoutes(world), ...rescalingRoutes(world)];
}

function cancelRoutes({ ports }: RestWorld): readonly Route[] {
  const cancel = (call: Call, service: ClusterService): unknown => {
    const job = service.job(jobIdOf(call));
    if (job.state === 'CANCELED') return {};
    if (isTerminalJob(job.state)) throw restErrors.create('MR-REST-CONFLICT', { job: job.jobId, state: job.state });
    // The answer says that it is under way; how it ends is the state of the job.
    service.cancel(job.jobId).catch((error: unknown) => {
      ports.streams.writeError(`job ${job.jobId} could not be cancelled: ${messageOf(error)}\n`);
    });
    return {};
  };
  const answer = { status: 202, schema: nothing };
  const common = { role: 'operate', params: jobParams, answer, answeredBy: 'leader' } as const;
  return [
    {
      ...common,
      method: 'PATCH',
      path: '/jobs/:jobid',
      summary: 'Cancels a job; its state says when it is done',
      query: json.object({}, { mode: json.oneOf('cancel') }),
      handle: cancel,
    },
    {
      ...common,
      method: 'GET',
      path: '/jobs/:jobid/yarn-cancel',
      summary: 'Cancels a job: what the button of Flink\'s dashboard asks for',
      handle: cancel,
    },
  ];
}

/** The formats of Flink's savepoints; ours have one, so that all of them mean the same. */
const formatType = json.oneOf('CANONICAL', 'NATIVE');

function savepointRoutes({ operations }: RestWorld): readonly Route[] {
  const start = (call: Call, service: ClusterService, wanted: WantedSavepoint): unknown => {
    const { jobId } = runningJobOf(call, service);
    const trigger = operations.start('savepoint', jobId, textOf(call.body, 'triggerId'), async () => {
      const { target, stopsSources, drains } = wanted;
      const { location } = await service.savepoint(jobId, { target, stopsSources, drains });
      return { location };
    });
    return { 'request-id': trigger };
  };
  const common = { role: 'operate', params: jobParams, answer: triggered, answeredBy: 'leader' } as const;
  return [
    {
      ...common,
      method: 'POST',
      path: '/jobs/:jobid/savepoints',
      summary: 'Lets a job write a savepoint, and with `cancel-job` ends it there; the outcome is asked for by its id',
      body: {
        mediaType: JSON_TYPE,
        schema: json.object(
          {},
          { 'target-directory': json.nullable(json.text), 'cancel-job': json.flag, formatType, triggerId: hexId },
        ),
      },
      handle: (call, service) => {
        const target = placeOf(call, 'target-directory');
        return start(call, service, { target, stopsSources: isSet(call.body, 'cancel-job'), drains: false });
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/jobs/:jobid/stop',
      summary: 'Ends a job with a savepoint; with `drain` event time comes to its end first',
      body: {
        mediaType: JSON_TYPE,
        schema: json.object(
          {},
          { targetDirectory: json.nullable(json.text), drain: json.flag, formatType, triggerId: hexId },
        ),
      },
      handle: (call, service) => {
        const target = placeOf(call, 'targetDirectory');
        return start(call, service, { target, stopsSources: true, drains: isSet(call.body, 'drain') });
      },
    },
    outcomeRoute(operations, 'savepoint', 'savepoints', 'What has become of a savepoint, or of a stop'),
  ];
}

/** The working folder of a Dispatcher is nobody's business: paths are absolute. */
function placeOf({ body }: Call, name: string): string | null {
  const place = textOf(body, name);
  if (place === null || place.startsWith('/') || /^[a-z][a-z0-9+.-]*:\/\//i.test(place)) return place;
  throw restErrors.create('MR-REST-BAD-REQUEST', { reason: `\`${name}\` is an absolute path or a URL, not ${place}` });
}

interface WantedSavepoint {
  readonly target: string | null;
  readonly stopsSources: boolean;
  readonly drains: boolean;
}

function rescalingRoutes({ operations }: RestWorld): readonly Route[] {
  return [
    {
      method: 'PATCH',
      path: '/jobs/:jobid/rescaling',
      summary: 'Goes on with another parallelism, from a savepoint that it takes; the outcome is asked for by its id',
      role: 'operate',
      params: jobParams,
      query: json.object({ parallelism: json.integerFrom(1) }, { triggerId: hexId }),
      answer: triggered,
      answeredBy: 'leader',
      handle: (call, service) => {
        const { jobId } = runningJobOf(call, service);
        const parallelism = numberOf(call.query, 'parallelism') ?? 1;
        const trigger = operations.start('rescaling', jobId, textOf(call.query, 'triggerId'), async () => {
          await service.rescale(jobId, parallelism);
          return {};
        });
        return { 'request-id': trigger };
      },
    },
    outcomeRoute(operations, 'rescaling', 'rescaling', 'What has become of a change of parallelism'),
    ...rebalancingRoutes(operations),
  ];
}

function rebalancingRoutes(operations: RestWorld['operations']): readonly Route[] {
  return [
    {
      method: 'PATCH',
      path: '/jobs/:jobid/rebalancing',
      summary: 'Places the tasks of a job anew, by a checkpoint and a restart; the outcome is asked for by its id',
      role: 'operate',
      params: jobParams,
      query: json.object({}, { triggerId: hexId }),
      answer: triggered,
      answeredBy: 'leader',
      handle: (call, service) => {
        const { jobId } = runningJobOf(call, service);
        const trigger = operations.start('rebalancing', jobId, textOf(call.query, 'triggerId'), async () => {
          const moved = await service.rebalance(jobId);
          return { moved: moved.map(({ subtaskIndex: subtask, from, to }) => ({ subtask, from, to })) };
        });
        return { 'request-id': trigger };
      },
    },
    outcomeRoute(operations, 'rebalancing', 'rebalancing', 'What has become of it: which tasks are elsewhere now'),
  ];
}

/** Where the outcome of an operation is asked for, by its id. */
function outcomeRoute(
  operations: RestWorld['operations'],
  kind: OperationKind,
  name: string,
  summary: string,
): Route {
  return {
    method: 'GET',
    path: `/jobs/:jobid/${name}/:triggerid`,
    summary,
    role: 'view',
    params: triggerParams,
    answer: { status: 200, schema: outcomeSchema },
    answeredBy: 'leader',
    handle: (call) => outcome(operations.read(kind, jobIdOf(call), call.params['triggerid'] ?? '')),
  };
}
