import { rowsOf, stepId } from '../core/index.ts';
import type {
  ColumnBatch,
  Committable,
  Committer,
  CommittingPart,
  FileSystem,
  OlderRun,
  Ports,
  SinkConnector,
  SinkSpec,
  SinkWriter,
  Value,
  WriterContext,
} from '../core/index.ts';

/**
 * A sink that commits with checkpoints, into files of a directory (option `directory`) that every thread reaches: a
 * transaction is a file, `NAME.prepared`, then `NAME.committed`. Committing one that is gone is refused. Option
 * `rowsPerWrite`: takes no more rows at once.
 */
export const transactionalSink: SinkConnector = {
  kind: 'sink',
  name: 'transactional',
  doc: 'Keeps rows for a test, with checkpoints.',
  options: {},
  formatUse: 'none',
  example: '',
  acceptedModes: () => ['append'],
  check: () => [],
  prepare: () => Promise.resolve(),
  createWriter: (spec) => new TransactionalWriter(spec),
  isTransactional: () => true,
  createCommitter: (spec, { ports }) => createCommitter(directoryOf(spec), ports),
};

export interface CommittedRow {
  readonly sink: string;
  readonly subtaskIndex: number;
  readonly row: readonly Value[];
}

/** All rows that are committed in a directory, in the order of each subtask's commits. */
export async function committedRows(directory: string, files: FileSystem): Promise<readonly CommittedRow[]> {
  const names = (await files.list(directory)).filter((name) => name.endsWith('.committed'));
  const byAge = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const texts = await Promise.all(byAge.map((name) => files.readText(`${directory}/${name}`)));
  return texts.flatMap((text) => text.split('\n').map((line) => JSON.parse(line, revive) as CommittedRow));
}

class TransactionalWriter implements SinkWriter {
  readonly committing: CommittingPart;
  readonly #directory: string;
  readonly #rowsPerWrite: number;
  #context: WriterContext | null = null;
  #room: number;
  #lines: string[] = [];
  #count = 0;
  #pending: Committable[] = [];

  constructor(spec: SinkSpec) {
    this.#directory = directoryOf(spec);
    this.#rowsPerWrite = Number(spec.options['rowsPerWrite'] ?? Infinity);
    this.#room = this.#rowsPerWrite;
    this.committing = {
      prepareCommit: (checkpointId) => this.#prepareCommit(checkpointId),
      commit: (checkpointId) => this.#commit(checkpointId),
    };
  }

  open(context: WriterContext): Promise<void> {
    if (context.run === null) throw new Error('a transactional sink in a job without checkpoints');
    this.#context = context;
    return Promise.resolve();
  }

  write(batch: ColumnBatch, fromRow: number): number {
    const { stepId: sink, subtaskIndex } = this.#context as WriterContext;
    const end = Math.min(batch.rowCount, fromRow + this.#room);
    this.#room -= end - fromRow;
    for (const row of rowsOf(batch).slice(fromRow, end)) {
      this.#lines.push(JSON.stringify({ sink, subtaskIndex, row }, replace));
    }
    return end;
  }

  async writable(): Promise<void> {
    await this.#context?.ports.macrotasks.yield();
    this.#room = this.#rowsPerWrite;
  }

  poke(): void {
    // Nothing is sent before a checkpoint.
  }

  flush(): Promise<void> {
    throw new Error('flush() of a sink that commits');
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #prepareCommit(checkpointId: number): Promise<readonly Committable[]> {
    const { ports, run, subtaskIndex, stepId: step } = this.#context as WriterContext;
    const lines = this.#lines;
    this.#lines = [];
    // Generations first: names sort by age.
    const transaction = `${run?.generation ?? 0}-${step}-${subtaskIndex}-${this.#count++}`;
    if (lines.length > 0) {
      await ports.files.writeText(`${this.#directory}/${transaction}.prepared`, lines.join('\n'));
      this.#pending.push({ stepId: stepId(step), subtaskIndex, checkpointId, data: { transaction } });
    } else await ports.macrotasks.yield();
    return [...this.#pending];
  }

  async #commit(checkpointId: number): Promise<void> {
    const { ports } = this.#context as WriterContext;
    for (const handle of this.#pending.filter((each) => each.checkpointId <= checkpointId)) {
      await commitFile(this.#directory, handle, ports.files);
      this.#pending = this.#pending.filter((each) => each !== handle);
    }
  }
}

function createCommitter(directory: string, { files }: Ports): Committer {
  return {
    async commit(handles) {
      for (const handle of handles) await commitFile(directory, handle, files);
    },
    async abortOlder(runs: readonly OlderRun[]) {
      for (const name of await files.list(directory)) {
        const isOlder = runs.some(({ generation }) => name.startsWith(`${generation}-`));
        if (isOlder && name.endsWith('.prepared')) await files.remove(`${directory}/${name}`);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Also where somebody else commits it at the same time. */
async function commitFile(directory: string, { data }: Committable, files: FileSystem): Promise<void> {
  const path = `${directory}/${String(data['transaction'])}`;
  try {
    await files.rename(`${path}.prepared`, `${path}.committed`);
  } catch (error) {
    const isCommitted = (await files.stat(`${path}.committed`)) !== null;
    if (!isCommitted) throw new Error(`transaction ${path} is gone`, { cause: error });
  }
}

function directoryOf({ options }: SinkSpec): string {
  return String(options['directory']);
}

function replace(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { bigint: String(value) } : value;
}

function revive(_key: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'bigint' in value ? BigInt(String(value.bigint)) : value;
}
