import type { OlderRun } from '../../core/index.ts';

/** The subtasks that a run may have left anything of. */
function subtasksOf({ subtasks, parallelism }: OlderRun): readonly number[] {
  return subtasks ?? Array.from({ length: parallelism }, (_, subtask) => subtask);
}

/** What these subtasks have of a run; null for nothing. */
export function shareOf(run: OlderRun, wanted: readonly number[]): OlderRun | null {
  const subtasks = subtasksOf(run).filter((subtask) => wanted.includes(subtask));
  return subtasks.length === 0 ? null : { ...run, subtasks };
}

/** Subtasks of runs, by generation. */
export class RunShares {
  /** Null: all of them. */
  readonly #subtasks = new Map<number, ReadonlySet<number> | null>();

  /** All of the run's where none are named. */
  add(generation: number, subtasks?: readonly number[]): void {
    const known = this.#subtasks.get(generation);
    if (known === null) return;
    this.#subtasks.set(generation, subtasks === undefined ? null : new Set([...(known ?? []), ...subtasks]));
  }

  /** The run without those of its subtasks that are here; null where all are. */
  rest(run: OlderRun): OlderRun | null {
    const here = this.#subtasks.get(run.generation);
    if (here === undefined) return run;
    if (here === null) return null;
    const left = subtasksOf(run).filter((subtask) => !here.has(subtask));
    return left.length === subtasksOf(run).length ? run : shareOf(run, left);
  }
}
