/** What `millrace status` shows of a job of a cluster. */
import { shape } from '../../core/index.ts';
import { textTable } from '../text-table.ts';
import type { ClusterClient } from './cluster-client.ts';
import { jobFacts, taskCounts } from './cluster-jobs.ts';

const jobShape = shape.fields({
  ...jobFacts,
  vertices: shape.list(
    shape.fields({
      id: shape.text,
      name: shape.text,
      parallelism: shape.number,
      status: shape.text,
      tasks: taskCounts,
      metrics: shape.fields({ 'read-records': shape.number, 'write-records': shape.number }),
    }),
  ),
  millrace: shape.fields({
    restarts: shape.number,
    'waiting-for': shape.nullable(shape.text),
    'last-checkpoint': shape.nullable(shape.fields({ id: shape.number, 'completed-at': shape.number })),
    tasks: shape.list(
      shape.fields({
        vertex: shape.text,
        subtask: shape.number,
        state: shape.text,
        'taskmanager-id': shape.nullable(shape.text),
      }),
    ),
  }),
});

type JobStatus = ReturnType<typeof jobShape>;

export function readJob(client: ClusterClient, jobId: string): Promise<JobStatus> {
  return client.ask({ path: `/jobs/${jobId}` }, jobShape);
}

const failuresShape = shape.fields({ 'root-exception': shape.nullable(shape.text) });

/** What it last failed of; null where nothing has failed, as far as the leader knows. */
export async function lastFailureOf(client: ClusterClient, jobId: string): Promise<string | null> {
  const answer = await client.ask({ path: `/jobs/${jobId}/exceptions?maxExceptions=1` }, failuresShape);
  return answer['root-exception'];
}

/** For people. */
export function describeJob(job: JobStatus, failure: string | null): string {
  const { millrace: own } = job;
  const checkpoint = own['last-checkpoint'];
  const facts = [
    ['id', job.jid],
    ['state', job.state],
    ['started', timeOf(job['start-time'])],
    ...(job['end-time'] < 0 ? [] : [['ended', timeOf(job['end-time'])]]),
    ['restarts', String(own.restarts)],
    ...(checkpoint === null ? [] : [['checkpoint', `${checkpoint.id}, ${timeOf(checkpoint['completed-at'])}`]]),
    ...(own['waiting-for'] === null ? [] : [['waits for', own['waiting-for']]]),
    ...(failure === null ? [] : [['failure', failure.split('\n')[0] ?? '']]),
  ];
  const rows = job.vertices.map(({ id, name, parallelism, tasks, metrics }) => [
    name,
    String(parallelism),
    describeCounts(tasks),
    String(metrics['read-records']),
    String(metrics['write-records']),
    placesOf(job, id),
  ]);
  const table = textTable([['steps', 'tasks', 'states', 'in', 'out', 'where'], ...rows], { rightAligned: [1, 3, 4] });
  return [job.name, ...textTable(facts).map((line) => `  ${line}`), '', ...table].join('\n');
}

function placesOf({ millrace }: JobStatus, vertexId: string): string {
  const places = millrace.tasks.filter(({ vertex }) => vertex === vertexId).map((task) => task['taskmanager-id']);
  return [...new Set(places.filter((place) => place !== null))].join(', ');
}

/** `2 running, 1 failed`. */
export function describeCounts(tasks: Readonly<Record<string, number>>): string {
  return Object.entries(tasks)
    .filter(([state, count]) => count > 0 && state !== 'total')
    .map(([state, count]) => `${count} ${state.toLowerCase()}`)
    .join(', ');
}

export function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
