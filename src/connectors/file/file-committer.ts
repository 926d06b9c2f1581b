/** Finishes what earlier runs of a file sink have left in its directory. */
import type { Committable, Committer, OlderRun, Ports, RunIdentity } from '../../core/index.ts';
import { describeWriteErrors } from './errors.ts';
import { commitFile, fromCommittable } from './file-handle.ts';
import { generationOf, ownerOf } from './part-files.ts';

export class FileCommitter implements Committer {
  readonly #directory: string;
  readonly #run: RunIdentity;
  readonly #owner: string;
  readonly #ports: Ports;

  constructor(directory: string, stepId: string, run: RunIdentity, ports: Ports) {
    this.#directory = directory;
    this.#run = run;
    this.#owner = ownerOf(run, stepId);
    this.#ports = ports;
  }

  async commit(handles: readonly Committable[]): Promise<void> {
    for (const handle of handles.map(fromCommittable)) {
      await describeWriteErrors(handle.directory, () => commitFile(handle, this.#ports));
    }
  }

  async abortOlder(runs: readonly OlderRun[]): Promise<void> {
    const { files } = this.#ports;
    const older = new Set(runs.map(({ generation }) => generation).filter((each) => each < this.#run.generation));
    await describeWriteErrors(this.#directory, async () => {
      for (const name of await files.list(this.#directory)) {
        const generation = generationOf(name, this.#owner);
        if (generation !== null && older.has(generation)) await files.remove(`${this.#directory}/${name}`);
      }
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
