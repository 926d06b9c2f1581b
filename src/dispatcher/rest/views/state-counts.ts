import type { JobState, TaskState } from '../../../rpc/index.ts';
import { json, type JsonSchema } from '../json-schema.ts';

export const jobStates: readonly JobState[] = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
];

const TASK_STATES: readonly TaskState[] = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'INITIALIZING',
  'RUNNING',
  'FINISHED',
  'CANCELING',
  'CANCELED',
  'FAILED',
];

/** Flink has one state more, which we never have: its clients may count on it. */
const RECONCILING = 'RECONCILING';

export const jobStateSchema: JsonSchema = json.oneOf(...jobStates);
export const taskStateSchema: JsonSchema = json.oneOf(...TASK_STATES);

export const stateCountsSchema: JsonSchema = json.object(
  Object.fromEntries([...TASK_STATES, RECONCILING].map((state) => [state, json.integer])),
);

/** A number for every state, zero too. */
export function stateCounts(states: Iterable<TaskState>): Readonly<Record<string, number>> {
  const counts = new Map<string, number>([...TASK_STATES, RECONCILING].map((state) => [state, 0]));
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** What a vertex is, by what its tasks are; as Flink decides it. */
export function vertexState(states: readonly TaskState[]): TaskState {
  const has = (state: TaskState): boolean => states.includes(state);
  for (const state of ['FAILED', 'CANCELING', 'CANCELED', 'INITIALIZING', 'RUNNING'] as const) {
    if (has(state)) return state;
  }
  if (has('FINISHED')) return states.every((state) => state === 'FINISHED') ? 'FINISHED' : 'RUNNING';
  return has('DEPLOYING') ? 'DEPLOYING' : has('SCHEDULED') ? 'SCHEDULED' : 'CREATED';
}
