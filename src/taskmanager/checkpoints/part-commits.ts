import type { CommittingPart, CrashPoints } from '../../core/index.ts';
import { stepFailure } from '../../rpc/index.ts';

/** The commits of one subtask: one checkpoint after the other, each part by itself. */
export class PartCommits {
  readonly #crashPoints: CrashPoints | undefined;
  #last: Promise<void> = Promise.resolve();
  /** Checkpoints that something was prepared for and that are not committed. */
  readonly #open = new Set<number>();

  constructor(crashPoints: CrashPoints | undefined) {
    this.#crashPoints = crashPoints;
  }

  prepared(checkpointId: number, count: number): void {
    if (count > 0) this.#open.add(checkpointId);
  }

  /** Rejects, with the step, where a part cannot commit; then nothing later is committed either. */
  commit(
    checkpointId: number,
    parts: readonly { readonly stepId: string; readonly part: CommittingPart | undefined }[],
  ): Promise<void> {
    const work = this.#last.then(async () => {
      const done = [...this.#open].filter((id) => id <= checkpointId);
      for (const { stepId, part } of parts) {
        if (part === undefined) continue;
        await commitPart(checkpointId, stepId, part);
        if (done.length > 0) this.#crashPoints?.reached('transaction-committed');
      }
      for (const id of done) this.#open.delete(id);
    });
    this.#last = work;
    // Whoever asked for the later ones hears of it too.
    work.catch(() => undefined);
    return work;
  }
}

async function commitPart(checkpointId: number, stepId: string, part: CommittingPart): Promise<void> {
  try {
    await part.commit(checkpointId);
  } catch (error) {
    throw stepFailure(error, stepId, null);
  }
}
