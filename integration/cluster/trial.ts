/** A job on a real cluster, with steady input, watched by a reader that shares no code with the engine. */
import { judge, type Verdict } from '../crash/output-check.ts';
import {
  createTopic,
  independentKafka,
  javaConsume,
  javaTail,
  uniqueName,
  type JavaRecord,
  type JavaTail,
} from '../environment/index.ts';
import type { ObservedCluster } from './observed-cluster.ts';
import {
  canonicalRow,
  expectedRows,
  INPUT_PARTITIONS,
  PacedInput,
  pacedJobFile,
  type InputRecord,
  type OutputRow,
} from './paced-input.ts';
import type { TaskView } from './rest-client.ts';
import { TestCluster, type TestClusterOptions } from './test-cluster.ts';

export interface TrialSettings {
  readonly brokers: string;
  /** As the cluster reaches them, where that differs. */
  readonly innerBrokers?: string;
  readonly recordsPerSecond: number;
  readonly checkpointIntervalMs: number;
  /** Further lines of the job file. */
  readonly jobSettings?: string;
}

export interface TrialOptions extends TrialSettings {
  readonly cluster: TestClusterOptions;
}

/** A row of the output, as the committed reader has seen it. */
export interface SeenRow {
  readonly seenAtMs: number;
  /** When the last record that it counts was sent. */
  readonly sentAtMs: number;
  readonly partition: number;
}

export interface TrialOutcome {
  readonly verdict: Verdict;
  /** By the broker's clock: when each row of the output was appended, committed later. */
  readonly appendedAtMs: readonly number[];
}

const STEADY_MS = 3000;
const READ_TIMEOUT_MS = 120_000;
const PARALLELISM = 2;
const OUTPUT_PARTITIONS = 2;

interface Topics {
  readonly input: string;
  readonly output: string;
}

export class Trial<C extends ObservedCluster = TestCluster> {
  readonly cluster: C;
  readonly jobId: string;
  /** In the order in which they were seen. */
  readonly seen: readonly SeenRow[];
  readonly #brokers: string;
  readonly #inputTopic: string;
  readonly #output: string;
  readonly #input: PacedInput;
  readonly #tail: JavaTail;
  /** Ends the cluster, where that is the trial's. */
  readonly #end: () => Promise<void>;

  private constructor(
    { brokers }: TrialSettings,
    cluster: C,
    end: () => Promise<void>,
    running: { readonly jobId: string; readonly topics: Topics; readonly input: PacedInput },
  ) {
    this.cluster = cluster;
    this.#end = end;
    this.jobId = running.jobId;
    this.#brokers = brokers;
    this.#inputTopic = running.topics.input;
    this.#output = running.topics.output;
    this.#input = running.input;
    const seen: SeenRow[] = [];
    this.seen = seen;
    this.#tail = javaTail({ brokers, topic: this.#output }, (record, seenAtMs) => {
      seen.push({ seenAtMs, sentAtMs: rowOf(record).at, partition: record.partition });
    });
  }

  /** On a cluster of its own. Resolves once the job runs and its output arrives. */
  static async start(options: TrialOptions): Promise<Trial> {
    const cluster = await TestCluster.start(options.cluster);
    return Trial.on(cluster, options, () => cluster.close());
  }

  /** On a cluster that is there, and goes on when the trial is over unless `end` ends it. */
  static async on<C extends ObservedCluster>(
    cluster: C,
    settings: TrialSettings,
    end: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Trial<C>> {
    const { brokers, recordsPerSecond, checkpointIntervalMs } = settings;
    const name = uniqueName('paced');
    const input = `${name}-in`;
    const output = `${name}-out`;
    const feeder = new PacedInput(independentKafka(brokers), input, recordsPerSecond);
    let trial: Trial<C> | null = null;
    try {
      await createTopic(brokers, { name: input, partitions: INPUT_PARTITIONS });
      // The time of an append is the broker's: gaps between them tell how long nothing was processed.
      const config = { 'message.timestamp.type': 'LogAppendTime' };
      await createTopic(brokers, { name: output, partitions: OUTPUT_PARTITIONS, config });
      const place = { name, brokers: settings.innerBrokers ?? brokers, input, output };
      const job = { ...place, parallelism: PARALLELISM, checkpointIntervalMs, settings: settings.jobSettings ?? '' };
      const jobId = await cluster.submit(pacedJobFile(job));
      await feeder.start();
      trial = new Trial(settings, cluster, end, { jobId, topics: { input, output }, input: feeder });
      await cluster.running(jobId);
      await trial.caughtUpAfter(Date.now());
      return trial;
    } catch (error) {
      const told = await cluster.explain();
      await feeder.stop().catch(() => undefined);
      await (trial === null ? end() : trial.close());
      throw new Error(`${String(error)}\n${told}`, { cause: error });
    }
  }

  /** The tasks of the newest attempt. */
  async tasks(): Promise<readonly TaskView[]> {
    const job = await this.cluster.running(this.jobId);
    return job.millrace.tasks;
  }

  /** Resolves to the first committed row of what was sent after that instant. */
  firstOutputAfter(instantMs: number): Promise<SeenRow> {
    return this.#untilSeen('new output', () => this.seen.find(({ sentAtMs }) => sentAtMs >= instantMs));
  }

  /** Resolves once rows of all partitions of what was sent after that instant have been seen. */
  async caughtUpAfter(instantMs: number): Promise<void> {
    await this.#untilSeen('output of all partitions', () => {
      const partitions = new Set(
        this.seen.filter(({ sentAtMs }) => sentAtMs >= instantMs).map(({ partition }) => partition),
      );
      return partitions.size === OUTPUT_PARTITIONS ? true : undefined;
    });
  }

  /** Without input nothing will be seen: who waits in vain is told why. */
  #untilSeen<T>(awaited: string, find: () => T | undefined): Promise<T> {
    return this.cluster.until(awaited, () => {
      this.#input.check();
      return Promise.resolve(find());
    });
  }

  /** Resolves once the job has run undisturbed for a while, so that it is known what is usual. */
  steady(): Promise<void> {
    return this.caughtUpAfter(Date.now() + STEADY_MS);
  }

  /** Lets the job process all its input, ends everything, and judges what the output holds. */
  async finish(): Promise<TrialOutcome> {
    try {
      await this.#input.stop();
      const expected = expectedRows((await this.#read(this.#inputTopic)).map((record) => valueOf<InputRecord>(record)));
      await this.cluster.until(`${expected.length} rows of output`, () =>
        Promise.resolve(this.seen.length >= expected.length ? true : undefined),
      );
      await this.cluster.cancelled(this.jobId);
      const records = await this.#read(this.#output);
      const verdict = judge(expected, records.map((record) => canonicalRow(rowOf(record))));
      return { verdict, appendedAtMs: records.map(({ timestamp }) => timestamp) };
    } finally {
      await this.close();
    }
  }

  #read(topic: string): Promise<readonly JavaRecord[]> {
    return javaConsume({ brokers: this.#brokers, topic, timeoutMs: READ_TIMEOUT_MS });
  }

  async close(): Promise<void> {
    await this.#end();
    await this.#input.stop().catch(() => undefined);
    await this.#tail.stop();
  }
}

function rowOf(record: JavaRecord): OutputRow {
  return valueOf<OutputRow>(record);
}

function valueOf<T>({ value }: JavaRecord): T {
  return JSON.parse(value?.toString('utf8') ?? 'null') as T;
}
