/**
 * The crash test: a job that reads Kafka and writes Kafka exactly once is killed again and again by SIGKILL, and
 * started again each time; then a reader that shares no code with it judges what it wrote.
 */
import { independentKafka, withAdmin } from '../environment/index.ts';
import type { CrashJob } from './crash-jobs.ts';
import { deployJob, type Deployment } from './deployment.ts';
import { runJobProcess, runToFirstCheckpoint, type JobRun } from './job-run.ts';
import { describeKill, planKills, type Kill } from './kill-plan.ts';
import { createInputTopics, OrderFeeder, type InputTopics } from './order-feeder.ts';
import type { OrderStream } from './orders.ts';
import { judge, type Verdict } from './output-check.ts';

export interface CrashTestOptions {
  readonly brokers: string;
  /** When barriers overtake, as the job file says it; absent for the default. */
  readonly alignmentTimeout?: string | undefined;
  readonly job: CrashJob;
  readonly kills: number;
  readonly seed: number;
  /** Where job files, checkpoints and logs go; it exists. */
  readonly folder: string;
  readonly tell: (line: string) => void;
}

export interface CrashReport {
  readonly job: string;
  readonly seed: number;
  /** Kills that landed, by step of the protocol. */
  readonly killsAtPoints: ReadonlyMap<string, number>;
  readonly randomKills: number;
  /** Kills that were planned and did not happen, and why. */
  readonly missed: readonly string[];
  readonly restarts: number;
  /** Checkpoints that are known to have been completed. */
  readonly checkpoints: number;
  readonly sinks: readonly SinkReport[];
  /** How many partitions of the output end in a transaction that nobody has ended. */
  readonly openPartitions: number;
  readonly elapsedMs: number;
}

export interface SinkReport {
  readonly step: string;
  /** By what a plain program makes of the same input. */
  readonly verdict: Verdict;
  /** By what the job writes when nobody kills it. */
  readonly undisturbed: Verdict;
  /** Rows that stand before one that should have come first. */
  readonly outOfOrder: number;
}

const PARTITIONS = 4;
const PARALLELISM = 2;
/** Orders per partition: before the first start, and for each kill. */
const FIRST_ORDERS = 2000;
const ORDERS_PER_KILL = 600;
/** A random kill comes within so many times what a start and its first checkpoint take. */
const SPAN_FACTOR = 2;
/** … and within this, however slowly the first start went: else what trickles in meanwhile uses the input up. */
const MAX_SPAN_MS = 12_000;
const DEADLINE_MS = 120_000;
const LAST_DEADLINE_MS = 600_000;

export async function runCrashTest(options: CrashTestOptions): Promise<CrashReport> {
  const startedMs = performance.now();
  const test = await CrashTest.prepare(options);
  try {
    await test.killAll();
    const output = await test.judgeOutput();
    return { ...test.report(), ...output, elapsedMs: performance.now() - startedMs };
  } finally {
    await test.close();
  }
}

class CrashTest {
  readonly #options: CrashTestOptions;
  readonly #stream: OrderStream;
  readonly #inputTopics: InputTopics;
  readonly #feeder: OrderFeeder;
  readonly #crashed: Deployment;
  readonly #plan: { readonly running: readonly Kill[]; readonly ending: readonly Kill[] };
  readonly #killsAtPoints = new Map<string, number>();
  readonly #missed: string[] = [];
  readonly #checkpoints = new Set<number>();
  #randomKills = 0;
  #starts = 1;
  #spanMs = 0;

  private constructor(
    options: CrashTestOptions,
    stream: OrderStream,
    inputTopics: InputTopics,
    feeder: OrderFeeder,
    crashed: Deployment,
  ) {
    this.#options = options;
    this.#stream = stream;
    this.#inputTopics = inputTopics;
    this.#feeder = feeder;
    this.#crashed = crashed;
    this.#plan = planKills(options.kills, options.seed);
    for (const kill of [...this.#plan.running, ...this.#plan.ending]) {
      if (kill.kind === 'point') this.#killsAtPoints.set(kill.point, 0);
    }
  }

  static async prepare(options: CrashTestOptions): Promise<CrashTest> {
    const { brokers, kills, seed } = options;
    const ordersPerPartition = FIRST_ORDERS + (kills + 2) * ORDERS_PER_KILL;
    const stream = { seed, partitions: PARTITIONS, ordersPerPartition };
    const inputTopics = await createInputTopics(brokers, stream);
    const feeder = new OrderFeeder(independentKafka(brokers), inputTopics, stream);
    await feeder.open();
    await feeder.send(FIRST_ORDERS);
    const crashed = await deployJob({ ...options, variant: 'crashed', stream, inputTopics });
    return new CrashTest(options, stream, inputTopics, feeder, crashed);
  }

  /** Carries the plan out, then lets the job come to its end. */
  async killAll(): Promise<void> {
    const { tell } = this.#options;
    const { running, ending } = this.#plan;
    const firstMs = await runToFirstCheckpoint(this.#crashed.args(PARALLELISM), DEADLINE_MS);
    this.#spanMs = Math.min(firstMs * SPAN_FACTOR, MAX_SPAN_MS);
    const spanned = seconds(this.#spanMs);
    tell(`the first checkpoint was complete after ${seconds(firstMs)}; random kills come within ${spanned}`);
    for (const [index, kill] of running.entries()) {
      const quota = Math.floor(this.#feeder.remaining / (running.length - index + 1));
      await this.#kill(kill, quota);
    }
    await this.#feeder.send(this.#feeder.remaining);
    tell('all input is there');
    for (const kill of ending) await this.#kill(kill, 0);
    const last = await this.#run(null, LAST_DEADLINE_MS);
    if (last.exitCode !== 0) throw new Error(`the last run did not finish (${last.how}):\n${last.errors}`);
    tell(`the last run finished after ${seconds(last.elapsedMs)}`);
  }

  async #kill(kill: Kill, quota: number): Promise<void> {
    const { tell, kills } = this.#options;
    const run = await this.#run(kill, DEADLINE_MS, quota);
    const landed = [...this.#killsAtPoints.values()].reduce((sum, count) => sum + count, this.#randomKills) + 1;
    const what = describeKill(kill);
    if (run.how === 'ended') {
      const code = `exit code ${run.exitCode}`;
      throw new Error(`the job ended by itself, ${code}, before it could be killed ${what}:\n${run.errors}`);
    }
    if (run.how === 'overdue') {
      const reason = `${what}: not reached within ${seconds(DEADLINE_MS)}`;
      this.#missed.push(reason);
      tell(reason);
      return;
    }
    if (kill.kind === 'random') this.#randomKills += 1;
    else this.#killsAtPoints.set(kill.point, (this.#killsAtPoints.get(kill.point) ?? 0) + 1);
    const from = run.resumed === null ? 'before it told what it resumes' : `resumed checkpoint ${run.resumed}`;
    const completed = run.completed.length === 0 ? '' : `, completed ${run.completed.length}`;
    tell(`kill ${landed} of ${kills} ${what}: after ${seconds(run.elapsedMs)}, ${from}${completed}`);
  }

  async #run(kill: Kill | null, deadlineMs: number, quota = 0): Promise<JobRun> {
    this.#starts += 1;
    let feeding: Promise<void> = Promise.resolve();
    const run = await runJobProcess({
      args: this.#crashed.args(PARALLELISM),
      kill,
      spanMs: this.#spanMs,
      deadlineMs,
      logFile: this.#crashed.logFile,
      onStart: (ended) => {
        if (quota > 0) feeding = this.#feeder.feed(quota, ended);
      },
    });
    await feeding;
    for (const id of run.completed) this.#checkpoints.add(id);
    if (run.resumed !== null) this.#checkpoints.add(run.resumed);
    if (run.startedAnew) throw new Error(`a checkpoint was complete, and the job started anew:\n${run.errors}`);
    return run;
  }

  /** Reads everything back, and lets the job run once more where nobody kills it. */
  async judgeOutput(): Promise<Pick<CrashReport, 'sinks' | 'openPartitions'>> {
    const { job, tell } = this.#options;
    await this.#checkInput();
    const [stream, inputTopics] = [this.#stream, this.#inputTopics];
    const undisturbed = await deployJob({ ...this.#options, variant: 'undisturbed', stream, inputTopics });
    const args = undisturbed.args(PARALLELISM);
    const { logFile } = undisturbed;
    const run = await runJobProcess({ args, logFile, kill: null, spanMs: 0, deadlineMs: LAST_DEADLINE_MS });
    if (run.exitCode !== 0) throw new Error(`the undisturbed run did not finish (${run.how}):\n${run.errors}`);
    tell(`the undisturbed run finished after ${seconds(run.elapsedMs)}`);
    const openPartitions = (await this.#crashed.openPartitions()) + (await undisturbed.openPartitions());
    const sinks: SinkReport[] = [];
    for (const sink of job.sinks) {
      const { rows, outOfOrder } = await this.#crashed.read(sink);
      const alone = await undisturbed.read(sink);
      const verdict = judge(sink.expected(stream), rows);
      sinks.push({ step: sink.step, verdict, undisturbed: judge(alone.rows, rows), outOfOrder });
    }
    return { sinks, openPartitions };
  }

  /** What is judged is what was meant to be there only if the feeder wrote each record once. */
  async #checkInput(): Promise<void> {
    const { ordersPerPartition } = this.#stream;
    for (const topic of Object.values(this.#inputTopics) as string[]) {
      const ends = await withAdmin(this.#options.brokers, (admin) => admin.fetchTopicOffsets(topic));
      for (const { partition, high } of ends) {
        if (Number(high) === ordersPerPartition) continue;
        throw new Error(`partition ${partition} of ${topic} ends at ${high}, not at ${ordersPerPartition}`);
      }
    }
  }

  report(): Omit<CrashReport, 'sinks' | 'openPartitions' | 'elapsedMs'> {
    return {
      job: this.#options.job.name,
      seed: this.#options.seed,
      killsAtPoints: this.#killsAtPoints,
      randomKills: this.#randomKills,
      missed: this.#missed,
      restarts: this.#starts - 1,
      checkpoints: this.#checkpoints.size,
    };
  }

  async close(): Promise<void> {
    await this.#feeder.close();
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
