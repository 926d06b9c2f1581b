/**
 * Files that become visible with their checkpoint: one per subtask and checkpoint, written under a temporary name,
 * durable at the barrier, renamed when the checkpoint is complete. As the transactions of docs/design/012, with the
 * directory as the broker.
 */
import type { Committable, CommittingPart, OpenFile, Ports, RunIdentity } from '../../core/index.ts';
import { commitFile } from './commit-file.ts';
import { toCommittable, type FileHandle } from './file-handle.ts';
import { checkpointFile, COMMITS_PER_FILE, commitsFile, ownerOf, temporaryFile } from './part-files.ts';

export interface CheckpointedFilesConfig {
  readonly directory: string;
  readonly stepId: string;
  readonly subtaskIndex: number;
  readonly format: string;
  readonly run: RunIdentity;
  /** What each file begins with. */
  readonly header: Uint8Array;
}

interface Writing {
  readonly file: OpenFile;
  readonly temporary: string;
  readonly commits: string;
  sizeBytes: number;
}

export class CheckpointedFiles {
  readonly #config: CheckpointedFilesConfig;
  readonly #ports: Ports;
  readonly #owner: string;
  #count = 0;
  #appending: Promise<void> = Promise.resolve();
  #writing: Writing | null = null;
  /** Not known to be committed, in the order of their checkpoints. */
  #prepared: FileHandle[] = [];

  constructor(config: CheckpointedFilesConfig, ports: Ports) {
    this.#config = config;
    this.#ports = ports;
    this.#owner = ownerOf(config.run, config.stepId);
  }

  /** Never called while another call of this or prepare() is pending. */
  append(bytes: Uint8Array): Promise<void> {
    this.#appending = this.#append(bytes);
    return this.#appending;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    this.#writing ??= await this.#begin();
    await this.#writing.file.append(bytes);
    this.#writing.sizeBytes += bytes.length;
  }

  async #begin(): Promise<Writing> {
    const { directory, run, subtaskIndex, header } = this.#config;
    const count = this.#count++;
    const temporary = temporaryFile(this.#owner, run.generation, subtaskIndex, count);
    const commits = commitsFile(this.#owner, run.generation, subtaskIndex, count);
    if (count % COMMITS_PER_FILE === 0 && count >= 2 * COMMITS_PER_FILE) {
      const old = commitsFile(this.#owner, run.generation, subtaskIndex, count - 2 * COMMITS_PER_FILE);
      await this.#ports.files.remove(`${directory}/${old}`);
    }
    const file = await this.#ports.files.open(`${directory}/${temporary}`, 'create');
    const writing = { file, temporary, commits, sizeBytes: header.length };
    if (header.length > 0) await file.append(header);
    return writing;
  }

  /** Makes the present file durable under its temporary name. */
  async prepare(checkpointId: number): Promise<readonly Committable[]> {
    const writing = this.#writing;
    if (writing !== null) {
      const { directory, stepId, subtaskIndex, format, run } = this.#config;
      const { file, temporary, commits, sizeBytes } = writing;
      await file.sync();
      await file.close();
      this.#writing = null;
      await this.#ports.files.syncDirectory(directory);
      const name = checkpointFile(subtaskIndex, run.generation, checkpointId, format);
      this.#prepared.push({ stepId, subtaskIndex, checkpointId, directory, temporary, name, sizeBytes, commits });
      this.#ports.crashPoints?.reached('transaction-flushed');
    }
    return this.#prepared.map(toCommittable);
  }

  async commit(checkpointId: number): Promise<void> {
    for (const handle of this.#prepared.filter((each) => each.checkpointId <= checkpointId)) {
      await commitFile(handle, this.#ports);
      this.#prepared = this.#prepared.filter((each) => each !== handle);
    }
  }

  /** Removes what no checkpoint knows; leaves prepared files to theirs. */
  async close(): Promise<void> {
    await this.#appending.catch(() => undefined);
    const writing = this.#writing;
    this.#writing = null;
    if (writing === null) return;
    await writing.file.close();
    await this.#ports.files.remove(`${this.#config.directory}/${writing.temporary}`);
  }
}

/** The contract of core around them; `drain` resolves when all that was taken is appended. */
export function committingFiles(
  files: CheckpointedFiles,
  drain: () => Promise<void>,
  guard: <T>(work: () => Promise<T>) => Promise<T>,
): CommittingPart {
  return {
    async prepareCommit(checkpointId) {
      await drain();
      return guard(() => files.prepare(checkpointId));
    },
    commit: (checkpointId) => guard(() => files.commit(checkpointId)),
  };
}
