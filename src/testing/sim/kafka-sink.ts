/** A sink that follows docs/design/012 with a simulated Kafka: a pool of ids, one transaction a barrier. */
import { readValue, stepId, types } from '../../core/index.ts';
import type {
  Column,
  ColumnBatch,
  Committable,
  Committer,
  CommittingPart,
  OlderRun,
  RunIdentity,
  SinkConnector,
  SinkWriter,
  WriterContext,
} from '../../core/index.ts';
import type { KafkaClient } from './kafka-client.ts';
import type { OutputRow } from './simulated-kafka.ts';

interface Open {
  readonly transactionalId: string;
  readonly epoch: Promise<number>;
  sequence: number;
  /** Resolves when all that was sent is acknowledged. */
  sent: Promise<void>;
}

interface Prepared {
  readonly transactionalId: string;
  readonly handle: Committable;
}

const ROWS_PER_REQUEST = 40;

/** `openClient` makes the client of the thread or process in which a part runs. */
export function kafkaSink(openClient: () => KafkaClient): SinkConnector {
  return {
    kind: 'sink',
    name: 'kafka',
    doc: 'Writes to a simulated Kafka.',
    options: {},
    formatUse: 'none',
    example: '',
    acceptedModes: () => ['append'],
    check: () => [],
    prepare: () => Promise.resolve(),
    createWriter: () => new KafkaWriter(openClient()),
    isTransactional: () => true,
    createCommitter: (spec, { run }) => createCommitter(openClient(), spec.stepId, run),
  };
}

function idOf({ clusterId, jobName }: RunIdentity, step: string, generation: number, subtask: number, k: number) {
  return `${clusterId}/${jobName}/${step}/${generation}/${subtask}/${k}`;
}

function poolSize(tolerableFailures: number): number {
  return tolerableFailures + 3;
}

class KafkaWriter implements SinkWriter {
  readonly committing: CommittingPart;
  readonly #client: KafkaClient;
  #context: WriterContext | null = null;
  #free: string[] = [];
  #open: Open | null = null;
  #rows: OutputRow[] = [];
  #prepared: Prepared[] = [];
  #failure: Error | null = null;
  #waiters: (() => void)[] = [];

  constructor(client: KafkaClient) {
    this.#client = client;
    this.committing = {
      prepareCommit: (checkpointId) => this.#prepareCommit(checkpointId),
      commit: (checkpointId) => this.#commit(checkpointId),
    };
  }

  open(context: WriterContext): Promise<void> {
    const { run, stepId: step, subtaskIndex } = context;
    if (run === null) throw new Error('a job without checkpoints');
    this.#context = context;
    this.#free = Array.from({ length: poolSize(run.settings.tolerableFailures) }, (_, k) =>
      idOf(run, step, run.generation, subtaskIndex, k),
    );
    return Promise.resolve();
  }

  write(batch: ColumnBatch, fromRow: number): number {
    if (this.#failure !== null) throw this.#failure;
    if (this.#open === null && !this.#begin()) return fromRow;
    const [count, key, text] = batch.columns;
    for (let row = fromRow; row < batch.rowCount; row++) {
      this.#rows.push({
        text: String(readValue(text as Column, types.string, row)),
        key: Number(readValue(key as Column, types.int, row)),
        count: Number(readValue(count as Column, types.long, row)),
      });
    }
    if (this.#rows.length >= ROWS_PER_REQUEST) this.poke();
    return batch.rowCount;
  }

  /** Until an id is free again. */
  writable(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#open !== null || this.#free.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  poke(): void {
    const open = this.#open;
    const rows = this.#rows;
    if (open === null || rows.length === 0) return;
    this.#rows = [];
    open.sequence += rows.length;
    const { sequence } = open;
    open.sent = open.sent.then(async () =>
      this.#client.produce(open.transactionalId, await open.epoch, sequence, rows),
    );
    open.sent.catch((error: unknown) => {
      this.#failure ??= error as Error;
      this.#wake();
    });
  }

  flush(): Promise<void> {
    throw new Error('flush() of a sink that commits');
  }

  /** What is open is ended; what is prepared is left to whoever knows the fate of its checkpoint. */
  async close(): Promise<void> {
    this.#wake();
    const open = this.#open;
    this.#open = null;
    if (open !== null) await this.#client.begin(open.transactionalId);
  }

  #begin(): boolean {
    const transactionalId = this.#free.shift();
    if (transactionalId === undefined) return false;
    const epoch = this.#client.begin(transactionalId);
    epoch.catch(() => undefined);
    this.#open = { transactionalId, epoch, sequence: -1, sent: Promise.resolve() };
    return true;
  }

  async #prepareCommit(checkpointId: number): Promise<readonly Committable[]> {
    const { ports, stepId: step, subtaskIndex } = this.#context as WriterContext;
    const open = this.#open;
    if (open !== null) {
      this.poke();
      await open.sent;
      const { transactionalId } = open;
      const data = { transactionalId, epoch: await open.epoch };
      ports.crashPoints?.reached('transaction-flushed');
      this.#open = null;
      const handle = { stepId: stepId(step), subtaskIndex, checkpointId, data };
      this.#prepared.push({ transactionalId, handle });
    }
    return this.#prepared.map(({ handle }) => handle);
  }

  async #commit(checkpointId: number): Promise<void> {
    for (const each of this.#prepared.filter(({ handle }) => handle.checkpointId <= checkpointId)) {
      await this.#client.commit(each.handle);
      this.#context?.ports.crashPoints?.reached('transaction-committed');
      // A commit that was repeated may be done already.
      if (!this.#prepared.includes(each)) continue;
      this.#prepared = this.#prepared.filter((other) => other !== each);
      this.#free = [...this.#free, each.transactionalId].sort();
      this.#wake();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

function createCommitter(client: KafkaClient, step: string, run: RunIdentity | null): Committer {
  if (run === null) throw new Error('a job without checkpoints');
  /** Ids under which there is nothing newer than what was just committed. */
  const known = new Set<string>();
  return {
    async commit(handles) {
      for (const handle of handles) if (await client.commit(handle)) known.add(String(handle.data['transactionalId']));
    },
    async abortOlder(runs: readonly OlderRun[]) {
      const ids = runs.flatMap(({ generation, parallelism, tolerableFailures }) =>
        Array.from({ length: parallelism }, (_, subtask) =>
          Array.from({ length: poolSize(tolerableFailures ?? run.settings.tolerableFailures) }, (__, k) =>
            idOf(run, step, generation, subtask, k),
          ),
        ).flat(),
      );
      await Promise.all(ids.filter((id) => !known.has(id)).map((id) => client.begin(id)));
      known.clear();
    },
    close: () => Promise.resolve(),
  };
}
