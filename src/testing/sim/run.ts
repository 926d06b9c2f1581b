/** One simulation, from a seed to its end. */
import { jobId } from '../../core/index.ts';
import type { JobState } from '../../rpc/index.ts';
import type { Break } from './breaks.ts';
import { SimulatedCluster, ZOOKEEPER_PATH } from './cluster.ts';
import { Disturbances } from './disturbances.ts';
import { Invariants } from './invariants.ts';
import type { SimulatedJob } from './job.ts';
import { World } from './world.ts';
import type { Violation } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly broken?: Break | null;
  readonly keepsTrace?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  /** The first, and what came of the same event. */
  readonly violations: readonly Violation[];
  /** Of all that has happened: equal for equal histories. */
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly epochs: number;
  readonly restarts: number;
  readonly trace: readonly string[];
}

const JOB_ID = jobId('00000000000000000000000000000001');
const LEAST_MS = 10_000;
const LONGEST_MS = 30_000;
/** After the last disturbance the job must have finished within this and as long as it takes by itself. */
const RECOVERY_MS = 90_000;
const CLIENT_MS = 500;

export async function runSimulation(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options);
  return simulation.run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #job: SimulatedJob;
  readonly #disturbedMs: number;
  readonly #invariants: Invariants;
  readonly #cluster: SimulatedCluster;
  #state: JobState | null = null;
  #restarts = 0;

  constructor(options: SimulationOptions) {
    const { seed, keepsTrace = false, broken = null } = options;
    this.#options = options;
    this.#world = new World(seed, keepsTrace);
    this.#disturbedMs = this.#world.between(LEAST_MS, LONGEST_MS);
    this.#job = randomJob(this.#world, this.#disturbedMs);
    this.#world.tell(JSON.stringify(this.#job));
    const expected = { rowCount: this.#job.rows, keyCount: this.#job.keys };
    this.#invariants = new Invariants(this.#world, ZOOKEEPER_PATH, expected);
    this.#cluster = new SimulatedCluster({
      world: this.#world,
      invariants: this.#invariants,
      broken,
      dispatchers: ['d1', 'd2'],
      taskManagers: new Map([['t1', 2], ['t2', 1], ['t3', 1]]),
    });
  }

  async run(): Promise<SimulationResult> {
    const world = this.#world;
    const startMs = world.nowMs;
    this.#cluster.startAll();
    this.#askOn();
    const disturbances = new Disturbances(this.#cluster);
    disturbances.plan(this.#disturbedMs);
    const endMs = startMs + this.#disturbedMs * 2 + RECOVERY_MS;
    await world.run(endMs, () => this.#state === 'FINISHED' && this.#invariants.visibleCount >= this.#job.rows);
    if (world.violations.length === 0) this.#judge();
    const { hash, count, lines } = world.trace;
    return {
      seed: this.#options.seed,
      violations: world.violations,
      hash,
      events: count,
      virtualMs: world.nowMs - startMs,
      epochs: this.#invariants.epoch,
      restarts: this.#restarts,
      trace: lines ?? [],
    };
  }

  #judge(): void {
    if (this.#state !== 'FINISHED') {
      const { unstableCount } = this.#cluster.kafka;
      const rows = `${this.#invariants.visibleCount} of ${this.#job.rows} rows are there, ${unstableCount} wait`;
      this.#world.violated('bounded-recovery', `the job is ${String(this.#state)}, ${rows}`);
    }
    this.#invariants.finished();
  }

  /** A user: submits the job until somebody knows it, and then looks at it. */
  #askOn(): void {
    this.#world.schedule(CLIENT_MS, () => {
      this.#ask();
      this.#askOn();
    });
  }

  #ask(): void {
    const { service } = this.#cluster;
    if (service === null) return;
    if (!service.jobs().some((job) => job.jobId === JOB_ID)) {
      service.submit({ text: JSON.stringify(this.#job), variables: {}, jobId: JOB_ID }).catch((error: unknown) => {
        this.#world.tell(`the job is not taken: ${String(error)}`);
      });
      return;
    }
    const { state, restarts, failures } = service.job(JOB_ID);
    if (state === this.#state && restarts === this.#restarts) return;
    this.#state = state;
    this.#restarts = restarts;
    const why = failures.at(-1)?.error.message ?? 'no failure';
    this.#world.tell(`the job is ${state} after ${restarts} restarts; ${why}`);
    if (state === 'FAILED' || state === 'CANCELED') {
      this.#world.violated('job-survives', `the job is ${state}: ${why}`);
    }
  }
}

function randomJob(world: World, disturbedMs: number): SimulatedJob {
  const parallelism = 1 + world.below(3);
  const batchRows = 4 + world.below(8);
  const pauseMs = Math.floor(world.between(100, 400));
  const batches = Math.ceil((disturbedMs / pauseMs) * parallelism);
  return {
    name: 'simulated',
    parallelism,
    rows: batches * batchRows,
    keys: 3 + world.below(20),
    splits: parallelism + world.below(4),
    batchRows,
    pauseMs,
    checkpointMs: Math.floor(world.between(300, 2000)),
    tolerableFailures: world.below(3),
    retained: 1 + world.below(3),
    alignmentTimeoutMs: world.random() < 0.3 ? 50 : null,
  };
}
