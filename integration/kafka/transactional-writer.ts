/* A subtask of a kafka sink with `delivery: exactly-once`, and its committer, without a job around them. */
import {
  batchOf,
  type Committable,
  type CommittingPart,
  type Committer,
  type ConnectorContext,
  type RunIdentity,
} from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { createKafkaSink } from '../../src/connectors/index.ts';
import { bytes, sinkSpec, taskContext } from './connector-harness.ts';
import { valueFormat } from './value-format.ts';

const sink = createKafkaSink([valueFormat]);

export interface Target {
  readonly brokers: string;
  readonly topic: string;
  /** Distinguishes the jobs of one cluster. */
  readonly jobName: string;
  readonly generation: number;
  /** More options of the sink. */
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface TransactionalWriter {
  readonly committing: CommittingPart;
  write(values: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export function runOf({ jobName, generation }: Pick<Target, 'jobName' | 'generation'>): RunIdentity {
  const settings = {
    intervalMs: 1000,
    mode: 'exactly-once',
    timeoutMs: 10_000,
    minPauseMs: 0,
    tolerableFailures: 0,
    retained: 1,
  } as const;
  return { clusterId: 'tests', jobName, generation, settings };
}

function specOf({ brokers, topic, options = {} }: Target) {
  return sinkSpec({ brokers, topic, delivery: 'exactly-once', ...options });
}

function contextOf(target: Target): ConnectorContext {
  return { jobName: target.jobName, stepId: 'out', ports: nodePorts, rack: null, run: runOf(target) };
}

export function prepare(target: Target): Promise<void> {
  return sink.prepare(specOf(target), contextOf(target));
}

export async function openTransactionalWriter(target: Target, subtaskIndex = 0): Promise<TransactionalWriter> {
  const spec = specOf(target);
  const writer = sink.createWriter(spec);
  await writer.open({ ...taskContext('out'), jobName: target.jobName, subtaskIndex, run: runOf(target) });
  const { committing } = writer;
  if (committing === undefined) throw new Error('the writer does not commit');
  return {
    committing,
    async write(values) {
      const batch = batchOf(spec.input, values.map((value) => [bytes(value)]));
      let row = 0;
      while ((row = writer.write(batch, row)) < batch.rowCount) await writer.writable();
      writer.poke();
    },
    close: () => writer.close(),
  };
}

export async function withCommitter<T>(target: Target, work: (committer: Committer) => Promise<T>): Promise<T> {
  const committer = sink.createCommitter?.(specOf(target), contextOf(target));
  if (committer === undefined) throw new Error('the sink has no committer');
  try {
    return await work(committer);
  } finally {
    await committer.close();
  }
}

export function commit(target: Target, handles: readonly Committable[]): Promise<void> {
  return withCommitter(target, (committer) => committer.commit(handles));
}
