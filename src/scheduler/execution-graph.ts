import { attemptId, subtaskId } from '../core/index.ts';
import type { AttemptId } from '../core/index.ts';
import type { JobGraph, JobVertex } from '../graph/index.ts';
import type { SlotLocation, TaskState } from '../rpc/index.ts';
import { move } from './state-machine.ts';
import { taskTransitions } from './task-state.ts';

/** One attempt to run one subtask. */
export interface Execution {
  readonly attemptId: AttemptId;
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  /** Its number: other subtasks may be at another one. */
  readonly attempt: number;
  readonly state: TaskState;
  /** Null before it is deployed. */
  readonly slot: SlotLocation | null;
}

type MutableExecution = Execution & { state: TaskState; slot: SlotLocation | null };

function created(vertex: JobVertex, subtaskIndex: number, attempt: number): MutableExecution {
  const id = attemptId(subtaskId(vertex.id, subtaskIndex), attempt);
  return { attemptId: id, vertex, subtaskIndex, attempt, state: 'CREATED', slot: null };
}

/** What a task goes through until it runs and ends well. */
const CAREER: readonly TaskState[] = ['SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING', 'FINISHED'];

/** The subtasks of a job graph and where each stands. */
export class ExecutionGraph {
  #executions = new Map<AttemptId, MutableExecution>();

  /** All subtasks CREATED, those of slice i with this attempt number. */
  constructor(graph: JobGraph, attemptOf: (slice: number) => number) {
    for (const vertex of graph.vertices) {
      for (let index = 0; index < vertex.parallelism; index++) this.#add(created(vertex, index, attemptOf(index)));
    }
  }

  /** Another attempt at the subtasks of these slices, CREATED, instead of the one before. */
  replace(slices: readonly number[], attempt: number): void {
    const before = [...this.#executions.values()];
    this.#executions = new Map();
    for (const execution of before) {
      const { vertex, subtaskIndex } = execution;
      this.#add(slices.includes(subtaskIndex) ? created(vertex, subtaskIndex, attempt) : execution);
    }
  }

  #add(execution: MutableExecution): void {
    this.#executions.set(execution.attemptId, execution);
  }

  /** In topological order of the vertices. */
  get executions(): readonly Execution[] {
    return [...this.#executions.values()];
  }

  get states(): readonly TaskState[] {
    return this.executions.map(({ state }) => state);
  }

  execution(id: AttemptId): Execution | null {
    return this.#executions.get(id) ?? null;
  }

  /** It runs there, or is about to. */
  place(id: AttemptId, slot: SlotLocation): void {
    const execution = this.#executions.get(id);
    if (execution !== undefined) execution.slot = slot;
  }

  /** A task that has come as far as this before it was taken over. */
  advance(id: AttemptId, to: 'RUNNING' | 'FINISHED'): void {
    for (const state of CAREER.slice(0, CAREER.indexOf(to) + 1)) this.move(id, state);
  }

  /** Throws MR-JOB-ILLEGAL-MOVE where the table has no such move. */
  move(id: AttemptId, to: TaskState): void {
    const execution = this.#executions.get(id);
    if (execution === undefined) return;
    execution.state = move(taskTransitions, `task ${execution.vertex.name} (${id})`, execution.state, to);
  }
}
