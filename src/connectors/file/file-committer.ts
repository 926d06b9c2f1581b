/** Finishes what runs of a file sink have left in its directory. */
import type { Committable, Committer, OlderRun, Ports, RunIdentity } from '../../core/index.ts';
import { commitFile } from './commit-file.ts';
import { describeWriteErrors } from './errors.ts';
import { fromCommittable } from './file-handle.ts';
import { describeHidden, ownerOf } from './part-files.ts';

export class FileCommitter implements Committer {
  readonly #directory: string;
  readonly #run: RunIdentity;
  readonly #owner: string;
  readonly #ports: Ports;
  /** Files of commits that the checkpoint may be judged by once more. */
  readonly #evidence = new Set<string>();

  constructor(directory: string, stepId: string, run: RunIdentity, ports: Ports) {
    this.#directory = directory;
    this.#run = run;
    this.#owner = ownerOf(run, stepId);
    this.#ports = ports;
  }

  async commit(handles: readonly Committable[]): Promise<void> {
    for (const handle of handles.map(fromCommittable)) {
      this.#evidence.add(handle.commits);
      await describeWriteErrors(handle.directory, () => commitFile(handle, this.#ports));
    }
  }

  /** The present run may be among them, once it has ended. */
  async abortOlder(runs: readonly OlderRun[]): Promise<void> {
    await describeWriteErrors(this.#directory, async () => {
      for (const name of await this.#ports.files.list(this.#directory)) {
        if (this.#isLeftOver(name, runs)) await this.#ports.files.remove(`${this.#directory}/${name}`);
      }
    });
  }

  #isLeftOver(name: string, runs: readonly OlderRun[]): boolean {
    const hidden = describeHidden(name, this.#owner);
    if (hidden === null) return false;
    const { kind, generation, subtaskIndex } = hidden;
    const hasEnded = runs.some(
      (run) => run.generation === generation && (run.subtasks?.includes(subtaskIndex) ?? true),
    );
    if (kind === 'temporary') return hasEnded;
    if (this.#evidence.has(name)) return false;
    // Where other subtasks go on, what they have written down of their commits is needed as long as they do.
    const doOthersGoOn = runs.some(({ subtasks }) => subtasks !== undefined);
    return doOthersGoOn ? hasEnded : generation < this.#run.generation;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
