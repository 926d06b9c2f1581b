import { json } from '../json-schema.ts';
import type { RestWorld, Route } from '../route.ts';
import { backPressureSchema, backPressureView } from '../views/back-pressure-view.ts';
import {
  checkpointConfigSchema,
  checkpointConfigView,
  checkpointsSchema,
  checkpointsView,
} from '../views/checkpoints-view.ts';
import {
  exceptionsSchema,
  exceptionsView,
  executionResultSchema,
  executionResultView,
} from '../views/failures-view.ts';
import { jobConfigSchema, jobConfigView } from '../views/job-config-view.ts';
import { jobSchema, jobView, vertexSchema, vertexView } from '../views/job-view.ts';
import { jobMetricsView, metricsSchema, vertexMetricsView } from '../views/metrics-view.ts';
import { planAnswerSchema, planView } from '../views/plan-view.ts';
import { jobStateSchema } from '../views/state-counts.ts';
import { jobOf, jobParams, numberOf, textOf, vertexOf, vertexParams } from './ask.ts';

/** As Flink. */
const MAX_EXCEPTIONS = 20;
const metricsQuery = json.object({}, { get: json.text });

/** What can be read of one job. */
export function jobRoutes(world: RestWorld): readonly Route[] {
  return [...detailRoutes(world), ...historyRoutes(), ...metricRoutes(world)];
}

type Reading = Pick<Route, 'path' | 'summary'> & {
  readonly schema: Route['answer']['schema'];
  readonly query?: NonNullable<Route['query']>;
  readonly handle: Extract<Route, { answeredBy: 'leader' }>['handle'];
};

function reading({ path, summary, schema, query, handle }: Reading): Route {
  return {
    method: 'GET',
    path: `/jobs/:jobid${path}`,
    summary,
    role: 'view',
    params: path.includes(':vertexid') ? vertexParams : jobParams,
    ...(query === undefined ? {} : { query }),
    answer: { status: 200, schema },
    answeredBy: 'leader',
    handle,
  };
}

function detailRoutes({ ports, explainJob }: RestWorld): readonly Route[] {
  const nowMs = (): number => ports.clock.nowMs();
  return [
    reading({
      path: '',
      summary: 'A job: its vertices, their tasks and what they have read and written',
      schema: jobSchema,
      handle: async (call, service) => {
        const job = jobOf(call, service);
        return jobView(job, await explainJob(job.graph), nowMs());
      },
    }),
    reading({
      path: '/status',
      summary: 'The state of a job',
      schema: json.object({ status: jobStateSchema }),
      handle: (call, service) => ({ status: jobOf(call, service).state }),
    }),
    reading({
      path: '/plan',
      summary: 'The plan of a job, as Flink\'s dashboard draws it',
      schema: planAnswerSchema,
      handle: async (call, service) => {
        const { jobId, graph } = jobOf(call, service);
        return { plan: planView(jobId, graph, await explainJob(graph)) };
      },
    }),
    reading({
      path: '/config',
      summary: 'The settings of a job and its steps, without secrets',
      schema: jobConfigSchema,
      handle: async (call, service) => {
        const { jobId, graph } = jobOf(call, service);
        return jobConfigView(jobId, graph, await explainJob(graph));
      },
    }),
    reading({
      path: '/vertices/:vertexid',
      summary: 'The subtasks of a vertex and where they run',
      schema: vertexSchema,
      handle: (call, service) => {
        const job = jobOf(call, service);
        return vertexView(job, vertexOf(call, job), service.taskManagers(), nowMs());
      },
    }),
  ];
}

function historyRoutes(): readonly Route[] {
  return [
    reading({
      path: '/exceptions',
      summary: 'What has failed, newest first',
      query: json.object({}, { maxExceptions: json.integerFrom(0) }),
      schema: exceptionsSchema,
      handle: (call, service) =>
        exceptionsView(jobOf(call, service), numberOf(call.query, 'maxExceptions') ?? MAX_EXCEPTIONS),
    }),
    reading({
      path: '/execution-result',
      summary: 'How a job has ended',
      schema: executionResultSchema,
      handle: (call, service) => executionResultView(jobOf(call, service)),
    }),
    reading({
      path: '/checkpoints',
      summary: 'The newest checkpoints, their sizes and times',
      schema: checkpointsSchema,
      handle: (call, service) => checkpointsView(jobOf(call, service)),
    }),
    reading({
      path: '/checkpoints/config',
      summary: 'How a job is checkpointed',
      schema: checkpointConfigSchema,
      handle: (call, service) => checkpointConfigView(jobOf(call, service).graph),
    }),
  ];
}

function metricRoutes({ ports }: RestWorld): readonly Route[] {
  return [
    reading({
      path: '/metrics',
      summary: 'Metrics of a job: their names, or with `get` (with commas) their values',
      query: metricsQuery,
      schema: metricsSchema,
      handle: (call, service) =>
        jobMetricsView(jobOf(call, service), textOf(call.query, 'get'), ports.clock.nowMs()),
    }),
    reading({
      path: '/vertices/:vertexid/backpressure',
      summary: 'How much of their time the subtasks of a vertex work, and wait for input or for those behind them',
      schema: backPressureSchema,
      handle: (call, service) => {
        const job = jobOf(call, service);
        return backPressureView(job, vertexOf(call, job));
      },
    }),
    reading({
      path: '/vertices/:vertexid/metrics',
      summary: 'Counters of a vertex, each called SUBTASK.STEP.COUNTER: their names, or with `get` their values',
      query: metricsQuery,
      schema: metricsSchema,
      handle: (call, service) => {
        const job = jobOf(call, service);
        return vertexMetricsView(job, vertexOf(call, job), textOf(call.query, 'get'));
      },
    }),
  ];
}
