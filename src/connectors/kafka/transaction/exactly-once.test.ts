/*
 * Jobs that write, take checkpoints, fail, die at any await and recover, against a broker with Kafka's rules for
 * transactions. Requests get lost, answers get lost, and what a dead process had sent arrives late.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  isMillraceError,
  type Clock,
  type Committable,
  type OlderRun,
  type Ports,
  type RunIdentity,
} from '../../../core/index.ts';
import { nodePorts } from '../../../core/node-ports.ts';
import { Producer } from '../producer/index.ts';
import { FakeConnection, FakeKafka, type Fault } from './fake-kafka.ts';
import { KafkaCommitter } from './kafka-committer.ts';
import { transactionSettings } from './transaction-options.ts';
import { TransactionalPart } from './transactional-part.ts';

const TOPIC = 'out';
const COMMITS = 'commits';
const SUBTASKS = 2;
const TOLERABLE_FAILURES = 1;

interface Checkpoint {
  readonly id: number;
  readonly positions: readonly number[];
  readonly handles: readonly Committable[];
}

interface Subtask {
  readonly producer: Producer;
  readonly part: TransactionalPart;
  /** The next of its values; a restart begins at that of the checkpoint. */
  position: number;
}

interface Process {
  readonly connection: FakeConnection;
  readonly subtasks: readonly Subtask[];
  /** The last checkpoint that it knows to be complete. */
  completedId: number;
}

type Step =
  | { readonly op: 'write'; readonly subtask: number; readonly count: number }
  | { readonly op: 'checkpoint'; readonly isAborted: boolean; readonly isCommitLost: boolean }
  | { readonly op: 'fail' | 'expire' | 'settle' | 'late' }
  /** The process stands still until the job has restarted without it. */
  | { readonly op: 'suspend' }
  /** One that stood still goes on, unaware. */
  | { readonly op: 'zombie' };

/** A step, and after how many turns of the loop the process dies in it. */
interface Scenario {
  readonly steps: readonly { readonly step: Step; readonly dieAfter: number | null }[];
  readonly recoveries: readonly (number | null)[];
  readonly seed: number;
  readonly verifies: boolean;
  readonly lastEpoch: number;
}

/** Far beyond what any step takes, on a machine under load too. */
const PATIENCE_MS = 3_600_000;
const HASTE = 50;
/** Pauses before retries are part of the code, and would be most of the test's time. */
const hastyClock: Clock = {
  ...nodePorts.clock,
  monotonicMs: () => nodePorts.clock.monotonicMs() * HASTE,
  schedule: (delayMs, callback) => nodePorts.clock.schedule(delayMs / HASTE, callback, true),
  sleep: (delayMs) => nodePorts.clock.sleep(delayMs / HASTE),
};

const dying = fc.option(fc.integer({ min: 0, max: 40 }), { freq: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      subtask: fc.nat({ max: SUBTASKS - 1 }),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('checkpoint' as const),
      isAborted: fc.boolean(),
      isCommitLost: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constantFrom('fail', 'settle', 'late', 'suspend', 'zombie') }) as fc.Arbitrary<Step>,
  },
);
const scenarioOf = (each: fc.Arbitrary<Step>): fc.Arbitrary<Scenario> =>
  fc.record({
    steps: fc.array(fc.record({ step: each, dieAfter: dying }), { minLength: 1, maxLength: 25 }),
    recoveries: fc.array(dying, { maxLength: 6 }),
    seed: fc.integer(),
    verifies: fc.boolean(),
    lastEpoch: fc.constantFrom(3, 32766),
  });

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000;
  };
}

class SimulatedJob {
  readonly kafka: FakeKafka;
  readonly #random: () => number;
  readonly #ports: Ports;
  readonly #recoveries: (number | null)[];
  readonly #late: (() => void)[] = [];
  #runs: OlderRun[] = [];
  #generation = 0;
  #nextCheckpointId = 1;
  #failuresInARow = 0;
  #process: Process | null = null;
  readonly #zombies: Process[] = [];
  completed: Checkpoint = { id: 0, positions: Array.from({ length: SUBTASKS }, () => 0), handles: [] };

  constructor({ seed, verifies, lastEpoch, recoveries }: Scenario) {
    this.#random = generator(seed);
    this.#recoveries = [...recoveries];
    this.kafka = new FakeKafka({ topics: { [TOPIC]: 3, [COMMITS]: 2 }, verifies, lastEpoch });
    const randomness = { ...nodePorts.randomness, next: () => this.#random() };
    this.#ports = { ...nodePorts, clock: hastyClock, randomness };
  }

  async run({ steps }: Scenario): Promise<void> {
    for (const { step: next, dieAfter } of steps) {
      const process = await this.#alive();
      await this.#untilDeath(process, dieAfter, () => this.#carryOut(process, next));
    }
    let process = await this.#alive();
    for (let last = this.completed.id; this.completed.id === last || this.#process === null; ) {
      process = await this.#alive();
      await this.#untilDeath(process, null, async () => {
        for (const [subtask] of process.subtasks.entries()) this.#write(process, subtask, 3);
        await this.#checkpoint(process, false, false);
      });
    }
    for (const zombie of this.#zombies) this.#kill(zombie);
    for (const late of this.#late.splice(0)) late();
    // The leader goes on aborting what may have come in late.
    await this.#committer(process.connection).abortOlder(this.#runs);
    this.kafka.settle();
    await Promise.all(process.subtasks.map(({ part }) => part.close()));
  }

  async #carryOut(process: Process, { op, ...more }: Step): Promise<void> {
    switch (op) {
      case 'write': {
        const { subtask, count } = more as Extract<Step, { op: 'write' }>;
        this.#write(process, subtask, count);
        await this.#pause();
        return;
      }
      case 'checkpoint': {
        const { isAborted, isCommitLost } = more as Extract<Step, { op: 'checkpoint' }>;
        await this.#checkpoint(process, isAborted, isCommitLost);
        return;
      }
      case 'fail':
        await this.#fail(process);
        return;
      case 'expire':
        this.kafka.expireTransactions();
        return;
      case 'settle':
        this.kafka.settle();
        return;
      case 'late':
        this.#late.shift()?.();
        return;
      case 'suspend':
        this.#zombies.push(process);
        this.#process = null;
        return;
      case 'zombie':
        await this.#haunt();
    }
  }

  /** Commits what it was told to before, then writes and prepares a checkpoint that nobody asks for. */
  async #haunt(): Promise<void> {
    const zombie = this.#zombies[0];
    if (zombie === undefined) return;
    try {
      await Promise.all(zombie.subtasks.map(({ part }) => part.commit(zombie.completedId)));
      for (const [subtask] of zombie.subtasks.entries()) this.#write(zombie, subtask, 2);
      await Promise.all(zombie.subtasks.map(({ part }) => part.prepareCommit(this.#nextCheckpointId++)));
    } catch (error) {
      if (!isMillraceError(error)) throw error;
      this.#zombies.shift();
      this.#kill(zombie);
    }
  }

  #kill({ connection, subtasks }: Process): void {
    this.#late.push(...connection.die());
    for (const { producer } of subtasks) producer.close();
  }

  #write(process: Process, index: number, count: number): void {
    const { producer, part } = process.subtasks[index] as Subtask;
    const subtask = process.subtasks[index] as Subtask;
    for (let i = 0; i < count; i++) {
      if (!part.admit()) return;
      const bytes = Buffer.from(`${index}:${subtask.position}`);
      producer.append(producer.queuesOf(TOPIC), 1_700_000_000_000, bytes, -1, -1, bytes, 0, bytes.length, null);
      subtask.position++;
    }
    producer.poke();
  }

  async #checkpoint(process: Process, isAborted: boolean, isCommitLost: boolean): Promise<void> {
    const id = this.#nextCheckpointId++;
    const prepared = await Promise.all(
      process.subtasks.map(async (subtask) => {
        const { position } = subtask;
        return { position, handles: await subtask.part.prepareCommit(id) };
      }),
    );
    if (isAborted) {
      if (++this.#failuresInARow > TOLERABLE_FAILURES) await this.#fail(process);
      return;
    }
    this.#failuresInARow = 0;
    const positions = prepared.map(({ position }) => position);
    this.completed = { id, positions, handles: prepared.flatMap(({ handles }) => handles) };
    process.completedId = id;
    await this.#pause();
    if (!isCommitLost) await Promise.all(process.subtasks.map(({ part }) => part.commit(id)));
  }

  /** Its tasks end, though the process lives. */
  async #fail(process: Process): Promise<void> {
    this.#process = null;
    await Promise.all(process.subtasks.map(({ part }) => part.close()));
  }

  async #alive(): Promise<Process> {
    while (this.#process === null) {
      const connection = this.#connect();
      const generation = ++this.#generation;
      const older = [...this.#runs];
      this.#runs.push({ generation, parallelism: SUBTASKS });
      const process: Process = { connection, subtasks: [], completedId: 0 };
      await this.#untilDeath(process, this.#recoveries.shift() ?? null, async () => {
        const committer = this.#committer(connection);
        await committer.commit(this.completed.handles);
        await committer.abortOlder(older);
        this.#process = { ...process, subtasks: await this.#deploy(connection) };
        this.#failuresInARow = 0;
      });
    }
    return this.#process;
  }

  #deploy(connection: FakeConnection): Promise<readonly Subtask[]> {
    return Promise.all(
      this.completed.positions.map(async (position, index) => {
        const producer = new Producer(connection, producerConfig, this.#ports);
        await producer.open([TOPIC, COMMITS]);
        const part = new TransactionalPart(connection, producer, this.#settings(), index, this.#ports);
        return { producer, part, position };
      }),
    );
  }

  #settings() {
    const settings = {
      intervalMs: 1000,
      mode: 'exactly-once' as const,
      timeoutMs: 1000,
      minPauseMs: 0,
      tolerableFailures: TOLERABLE_FAILURES,
      retained: 1,
    };
    const run: RunIdentity = { clusterId: 'c', jobName: 'a/b', generation: this.#generation, settings };
    const options = { commitsTopic: COMMITS, transactionTimeout: 60_000, toleratedOutage: 0 };
    return transactionSettings({ ...options, requestTimeout: PATIENCE_MS }, run, 'out', PATIENCE_MS);
  }

  #committer(connection: FakeConnection): KafkaCommitter {
    return new KafkaCommitter(connection, this.#settings(), this.#ports, true);
  }

  #connect(): FakeConnection {
    const fault = (): Fault => {
      const chance = this.#random();
      return chance < 0.05 ? 'lost-answer' : chance < 0.1 ? 'lost-request' : 'none';
    };
    return new FakeConnection(this.kafka, fault, () => this.#pause());
  }

  async #pause(): Promise<void> {
    for (let turns = Math.floor(this.#random() * 3); turns > 0; turns--) await nodePorts.macrotasks.yield();
  }

  /** Works until done, or until the process dies. What fails a task, and may be retried, restarts it. */
  async #untilDeath(process: Process, dieAfter: number | null, work: () => Promise<void>): Promise<void> {
    let isDone = false;
    const done = work()
      .catch(async (error: unknown) => {
        if (!isMillraceError(error) || error.retry === 'never') throw error;
        await this.#fail(process);
      })
      .finally(() => {
        isDone = true;
      });
    const death = async (): Promise<void> => {
      for (let turn = 0; turn < (dieAfter ?? 0); turn++) await nodePorts.macrotasks.yield();
      if (isDone) return;
      this.#kill(process);
      this.#process = null;
    };
    await (dieAfter === null ? done : Promise.race([done, death()]));
  }
}

const producerConfig = {
  compression: 'none',
  batchBytes: 64,
  lingerMs: 0,
  bufferBytes: 1 << 20,
  maxRequestBytes: 1 << 20,
  deliveryTimeoutMs: PATIENCE_MS,
  requestTimeoutMs: PATIENCE_MS,
  isTransactional: true,
} as const;

/** What completed checkpoints hold, sorted as text. */
function promised({ positions }: Checkpoint): string[] {
  return positions.flatMap((count, subtask) => Array.from({ length: count }, (_, n) => `${subtask}:${n}`)).sort();
}

describe('transactions', () => {
  it('show exactly what completed checkpoints hold, whenever processes die', async () => {
    await fc.assert(
      fc.asyncProperty(scenarioOf(step), async (scenario) => {
        const job = new SimulatedJob(scenario);
        await job.run(scenario);
        expect([...job.kafka.committed(TOPIC)].sort()).toEqual(promised(job.completed));
        expect(job.kafka.isReadable(TOPIC)).toBe(true);
      }),
      { numRuns: 200 },
    );
  }, 300_000);

  it('never lose what was promised in silence, where brokers abort what took too long', async () => {
    const expiring = fc.oneof(
      { weight: 4, arbitrary: step },
      { weight: 1, arbitrary: fc.constant<Step>({ op: 'expire' }) },
    );
    let losses = 0;
    await fc.assert(
      fc.asyncProperty(scenarioOf(expiring), async (scenario) => {
        const job = new SimulatedJob(scenario);
        let failure: unknown = null;
        await job.run(scenario).catch((error: unknown) => {
          failure = error;
        });
        const seen = job.kafka.committed(TOPIC);
        const isWhole = promised(job.completed).every((value) => seen.includes(value));
        if (failure === null) expect([...seen].sort()).toEqual(promised(job.completed));
        else {
          losses++;
          expect(failure).toMatchObject({ code: 'MR-KAFKA-TRANSACTION-LOST' });
          expect(isWhole).toBe(false);
        }
        expect(new Set(seen).size).toBe(seen.length);
      }),
      { numRuns: 150 },
    );
    expect(losses).toBeGreaterThan(0);
  }, 300_000);
});
