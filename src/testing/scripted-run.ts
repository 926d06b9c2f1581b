/**
 * A job driven through checkpoints by chance, from one seed: checkpoints are triggered, aborted and overtaken at any
 * time, one call among all of its parts fails now and then, and it goes on from the last completed checkpoint, perhaps
 * with another parallelism, until all input is read.
 */
import { MemoryCheckpointStorage } from './memory-checkpoint-storage.ts';
import { nodePorts } from '../core/node-ports.ts';
import type { CheckpointSettings } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { Collected } from './collect-sink.ts';
import { Faults, faultyCatalog } from './faults.ts';
import { testCatalog } from './mini-cluster.ts';
import { ScriptedJob } from './scripted-job.ts';
import type { ScriptedCheckpoint } from './scripted-job.ts';
import { seededRandom } from './seeded-random.ts';
import { createTestOperator } from './test-operators.ts';

const DEADLINE_MS = 60_000;
const SLOT_COUNT = 3;

export interface ScriptedRunOptions {
  readonly seed: number;
  /** How often something fails before the job is left alone. */
  readonly failures: number;
  /** Whether checkpoints are aborted and overtaken. */
  readonly disturbs: boolean;
  readonly mode?: CheckpointSettings['mode'];
  /** When barriers overtake; absent for never. */
  readonly alignmentTimeoutMs?: number;
  /** Elements on their way per channel. */
  readonly credits?: number;
  /** Whether its slots are linked over TCP. */
  readonly isSpread?: boolean;
}

export interface ScriptedRunResult {
  readonly completed: number;
  readonly restarts: number;
  /** Where faults came about. */
  readonly places: readonly string[];
  readonly job: ScriptedJob;
}

/** Runs the job that `graphOf` gives for a parallelism to its end. */
export async function runScripted(
  graphOf: (parallelism: number) => JobGraph,
  options: ScriptedRunOptions,
): Promise<ScriptedRunResult> {
  const run = new ScriptedRun(graphOf, options);
  try {
    return await run.toEnd();
  } finally {
    await run.job.close();
  }
}

class ScriptedRun {
  readonly job: ScriptedJob;
  readonly #graphOf: (parallelism: number) => JobGraph;
  readonly #options: ScriptedRunOptions;
  readonly #random: () => number;
  readonly #faults = new Faults();
  #last: ScriptedCheckpoint | null = null;
  #open: number[] = [];
  #completed = 0;
  #failuresLeft: number;
  #restarts = 0;
  #deadlineMs = 0;

  constructor(graphOf: (parallelism: number) => JobGraph, options: ScriptedRunOptions) {
    this.#graphOf = graphOf;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#failuresLeft = options.failures;
    const faults = this.#faults;
    this.job = new ScriptedJob(graphOf(2), {
      catalog: faultyCatalog(testCatalog(new Collected()), faults),
      ports: nodePorts,
      createOperator: (node) => faults.faulty(node.kind, createTestOperator(node)),
      storage: faults.faulty('storage', new MemoryCheckpointStorage()),
      slotCount: SLOT_COUNT,
      isSpread: options.isSpread ?? false,
      limits: { watermarkIntervalMs: 2, ...(options.credits === undefined ? {} : { credits: options.credits }) },
      ...(options.mode === undefined ? {} : { mode: options.mode }),
      ...(options.alignmentTimeoutMs === undefined ? {} : { alignmentTimeoutMs: options.alignmentTimeoutMs }),
    });
  }

  async toEnd(): Promise<ScriptedRunResult> {
    const { clock } = nodePorts;
    this.#deadlineMs = clock.monotonicMs() + DEADLINE_MS;
    await this.job.start();
    await this.#deploy();
    while (!this.job.isEvery('FINISHED')) {
      if (this.job.failure !== null) await this.#restart();
      else await this.#turn();
      await this.#pause();
    }
    await this.job.free();
    const { places } = this.#faults;
    return { completed: this.#completed, restarts: this.#restarts, places, job: this.job };
  }

  /** One thing, by chance, that a JobMaster might do now. */
  async #turn(): Promise<void> {
    const { job } = this;
    const [oldest] = this.#open;
    const done = this.#open.find((id) => job.checkpoint(id) !== null);
    if (done !== undefined) await this.#complete(done);
    else if (job.hasEnded) await this.#complete(job.takeId());
    else if (oldest === undefined) this.#open.push(await job.trigger());
    else if (job.declines.some(({ checkpointId }) => checkpointId === oldest)) await this.#abort(oldest);
    else if (this.#options.disturbs && this.#chance(0.1)) await this.#abort(oldest);
    else if (this.#options.disturbs && this.#chance(0.05)) this.#open.push(await job.trigger());
  }

  async #complete(id: number): Promise<void> {
    const checkpoint = this.job.checkpoint(id);
    if (checkpoint === null) throw new Error(`checkpoint ${id} is not complete`);
    this.#last = checkpoint;
    this.#completed++;
    // Those before it are over too.
    for (const older of this.#open.filter((open) => open < id)) await this.job.abort(older);
    this.#open = this.#open.filter((open) => open > id);
    // A JobMaster may fail before it has told anybody.
    if (this.#failuresLeft > 0 && this.#chance(0.1)) await this.#restart();
    else await this.job.complete(id);
  }

  async #abort(id: number): Promise<void> {
    this.#open = this.#open.filter((open) => open !== id);
    await this.job.abort(id);
  }

  async #restart(): Promise<void> {
    if (this.#failuresLeft-- <= 0 && this.#faults.places.length === 0) throw this.#unexpected();
    this.#faults.arm(Infinity);
    await this.job.cancel();
    await this.#until('all tasks have ended', () =>
      this.job.tasks.every(({ state }) => state === 'FAILED' || state === 'CANCELED' || state === 'FINISHED'),
    );
    await this.job.free();
    this.#open = [];
    this.#restarts++;
    await this.job.settle(this.#last);
    await this.#deploy();
  }

  async #deploy(): Promise<void> {
    if (this.#failuresLeft > 0) this.#faults.arm(1 + Math.floor(this.#random() ** 2 * 6000));
    const parallelism = 1 + Math.floor(this.#random() * SLOT_COUNT);
    await this.job.deploy(this.#last, this.#graphOf(parallelism));
    await this.#until('all tasks run', () => this.job.isEvery('RUNNING') || this.job.failure !== null);
    if (this.job.failure === null) await this.job.addSplits(this.#last);
  }

  #unexpected(): Error {
    return new Error(`failed though nothing made it: ${JSON.stringify(this.job.failure)}`);
  }

  /** Lets the job get on for a moment, by chance none. */
  async #pause(): Promise<void> {
    if (nodePorts.clock.monotonicMs() > this.#deadlineMs) {
      const states = this.job.tasks.map(({ attemptId, state }) => `${attemptId} ${state}`).join(', ');
      throw new Error(`not done after ${DEADLINE_MS} ms: ${states}; open: ${this.#open.join()}`);
    }
    if (this.#chance(0.5)) await nodePorts.macrotasks.yield();
    else await nodePorts.clock.sleep(this.#random() * 3);
  }

  async #until(what: string, isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (nodePorts.clock.monotonicMs() > this.#deadlineMs) throw new Error(`waited too long until ${what}`);
      await nodePorts.macrotasks.yield();
    }
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }
}
