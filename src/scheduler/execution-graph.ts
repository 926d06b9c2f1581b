import { attemptId, subtaskId } from '../core/index.ts';
import type { AttemptId } from '../core/index.ts';
import type { JobGraph, JobVertex } from '../graph/index.ts';
import type { TaskState } from '../rpc/index.ts';
import { move } from './state-machine.ts';
import { taskTransitions } from './task-state.ts';

/** One attempt to run one subtask. */
export interface Execution {
  readonly attemptId: AttemptId;
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  readonly state: TaskState;
}

/** The subtasks of a job graph and where each stands. */
export class ExecutionGraph {
  readonly #executions = new Map<AttemptId, Execution & { state: TaskState }>();

  /** All subtasks CREATED, with this attempt number. */
  constructor(graph: JobGraph, attempt: number) {
    for (const vertex of graph.vertices) {
      for (let index = 0; index < vertex.parallelism; index++) {
        const id = attemptId(subtaskId(vertex.id, index), attempt);
        this.#executions.set(id, { attemptId: id, vertex, subtaskIndex: index, state: 'CREATED' });
      }
    }
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

  /** Throws MR-JOB-ILLEGAL-MOVE where the table has no such move. */
  move(id: AttemptId, to: TaskState): void {
    const execution = this.#executions.get(id);
    if (execution === undefined) return;
    execution.state = move(taskTransitions, `task ${execution.vertex.name} (${id})`, execution.state, to);
  }
}
