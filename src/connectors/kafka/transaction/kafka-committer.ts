/** Finishes what earlier runs of a step have left in Kafka. Runs beside the JobMaster, before anything is deployed. */
import type { Committable, Committer, OlderRun, Ports } from '../../../core/index.ts';
import { persist, type KafkaClient } from '../client/index.ts';
import { commitPrepared, type CommittingClient } from './commit-prepared.ts';
import { fromCommittable } from './transaction-handle.ts';
import type { TransactionSettings } from './transaction-options.ts';
import { poolSize, transactionalId } from './transactional-ids.ts';

/** What a committer needs of a client. */
export type CommitterClient = CommittingClient & Pick<KafkaClient, 'connect' | 'close' | 'initTransactionalId'>;

/** Requests under way at a time: a coordinator takes one to two milliseconds for each. */
const PARALLEL = 16;

export class KafkaCommitter implements Committer {
  readonly #client: CommitterClient;
  readonly #settings: TransactionSettings;
  readonly #ports: Ports;
  readonly #isTransactional: boolean;
  #connected: Promise<void> | null = null;
  #isClosed = false;
  /** Ids under which nothing can be open: EndTxn has just said that their last transaction is committed. */
  readonly #ended = new Set<string>();

  /** `isTransactional`: whether the step writes in transactions now. Where it does not, none of its ids are touched. */
  constructor(client: CommitterClient, settings: TransactionSettings, ports: Ports, isTransactional: boolean) {
    this.#isTransactional = isTransactional;
    this.#client = client;
    this.#settings = settings;
    this.#ports = ports;
  }

  async commit(handles: readonly Committable[]): Promise<void> {
    if (handles.length === 0) return;
    const transactions = handles.map(fromCommittable).sort((a, b) => a.checkpointId - b.checkpointId);
    await this.#connect();
    await inParallel(transactions, async (handle) => {
      const { transactionalId: id } = handle.identity;
      const proof = await commitPrepared(this.#client, handle, this.#settings, this.#ports);
      if (proof === 'end') this.#ended.add(id);
      else this.#ended.delete(id);
    });
  }

  /** The present run may be among them, once it has ended: nobody else knows whether it has. */
  async abortOlder(runs: readonly OlderRun[]): Promise<void> {
    const { owner, tolerableFailures, transactionTimeoutMs, persistMs } = this.#settings;
    const ids = runs.flatMap((run) => idsOf(run, owner, tolerableFailures)).filter((id) => !this.#ended.has(id));
    // From the second time on, whoever commits meanwhile may have begun anew under any id.
    this.#ended.clear();
    if (ids.length === 0 || !this.#isTransactional) return;
    await this.#connect();
    await inParallel(ids, async (id) => {
      await this.#client.initTransactionalId(id, transactionTimeoutMs, persistMs);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client.close();
  }

  #connect(): Promise<void> {
    const { persistMs: timeoutMs } = this.#settings;
    const how = { operation: 'answer', resource: 'the committer', isClosed: () => this.#isClosed };
    this.#connected ??= persist({ ports: this.#ports, timeoutMs, ...how }, async () => {
      await this.#client.connect();
      return null;
    }).catch((error: unknown) => {
      this.#connected = null;
      throw error;
    });
    return this.#connected;
  }
}

function idsOf(run: OlderRun, owner: TransactionSettings['owner'], tolerableFailures: number): readonly string[] {
  const older = { ...owner, generation: run.generation };
  const size = poolSize(run.tolerableFailures ?? tolerableFailures);
  const subtasks = run.subtasks ?? Array.from({ length: run.parallelism }, (_, subtask) => subtask);
  return subtasks.flatMap((subtask) => Array.from({ length: size }, (_, k) => transactionalId(older, subtask, k)));
}

/** Begins no more once one has failed; rejects with the first failure when all that were begun have ended. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items].reverse();
  const failures: unknown[] = [];
  await Promise.all(
    Array.from({ length: Math.min(PARALLEL, rest.length) }, async () => {
      for (let item = rest.pop(); item !== undefined && failures.length === 0; item = rest.pop()) {
        await work(item).catch((error: unknown) => failures.push(error));
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
}
