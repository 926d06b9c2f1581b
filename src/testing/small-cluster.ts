import { nodePorts } from '../core/node-ports.ts';
import type { ConnectorCatalog } from '../core/index.ts';
import { RESOURCE_MANAGER, startDispatcher } from '../dispatcher/index.ts';
import type { ClusterService, CompileSource, RunningDispatcher } from '../dispatcher/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { openCheckpointStorage } from '../state/index.ts';
import { inlineWorkerHost, runSlot, startTaskManager } from '../taskmanager/index.ts';
import type { TaskManager } from '../taskmanager/index.ts';
import { Collected } from './collect-sink.ts';
import { MemoryElection } from './memory-high-availability.ts';
import type { MemoryHighAvailability } from './memory-high-availability.ts';
import { testCatalog } from './mini-cluster.ts';
import { ProcessNetwork } from './process-network.ts';
import { createTestOperator } from './test-operators.ts';

/** More than the copies of any test take. */
const COPIES_BYTES = 2 ** 30;

export interface SmallClusterOptions {
  /** Below it checkpoints stand, and TaskManagers copy state files. */
  readonly directory: string;
  /** Job files of tests are names of graphs. */
  readonly graphs: Readonly<Record<string, (parallelism: number | null) => JobGraph>>;
}

/** A Dispatcher of a small cluster. */
class SmallDispatcher {
  readonly name: string;
  readonly running: RunningDispatcher;
  readonly #ha: MemoryHighAvailability;
  readonly #network: ProcessNetwork;
  #isKilled = false;

  constructor(name: string, running: RunningDispatcher, ha: MemoryHighAvailability, network: ProcessNetwork) {
    this.name = name;
    this.running = running;
    this.#ha = ha;
    this.#network = network;
  }

  /** Null for one that was killed, whatever it believes. */
  get service(): ClusterService | null {
    return this.#isKilled ? null : this.running.service;
  }

  /** As by SIGKILL: it says nothing any more, and others find its address closed. */
  kill(): void {
    this.#isKilled = true;
    this.#ha.freeze();
    this.#network.kill(this.name);
  }
}

export interface SmallTaskManager {
  readonly name: string;
  readonly manager: TaskManager;
  /** As by SIGTERM; resolves once its process has ended. */
  end(): Promise<void>;
  /** Others find its address closed. Its slots, on the calling thread, go on as those of a machine that is cut off. */
  kill(): void;
}

/** Dispatchers and TaskManagers, the real ones, in one process with as many networks as a test needs to break. */
export class SmallCluster {
  readonly election = new MemoryElection();
  readonly collected = new Collected();
  readonly problems: unknown[] = [];
  readonly #options: SmallClusterOptions;
  readonly #network = new ProcessNetwork();
  readonly #catalog: ConnectorCatalog = testCatalog(this.collected);
  readonly #dispatchers: SmallDispatcher[] = [];
  readonly #taskManagers: SmallTaskManager[] = [];

  constructor(options: SmallClusterOptions) {
    this.#options = options;
  }

  startDispatcher(name: string): SmallDispatcher {
    const ha = this.election.open();
    const rpc = this.#network.process(name);
    const compile: CompileSource = async ({ text }, parallelism) => {
      const graph = this.#options.graphs[text];
      if (graph === undefined) throw new Error(`there is no graph ${text}`);
      return { problems: [], jobGraph: graph(parallelism) };
    };
    const running = startDispatcher({
      ports: nodePorts,
      loadCatalog: async () => this.#catalog,
      rpc,
      ha,
      rpcAddress: name,
      restUrl: `http://${name}`,
      compile,
      openStorage: (config) => openCheckpointStorage(config, nodePorts),
      stateSchemas: async () => new Map(),
      checkpointPlace: { location: `${this.#options.directory}/checkpoints`, s3: {} },
      heartbeats: { intervalMs: 50, timeoutMs: 60_000 },
      slotTimeoutMs: 60_000,
      takeoverTimeoutMs: 20_000,
      onProblem: (error) => this.problems.push(error),
    });
    const dispatcher = new SmallDispatcher(name, running, ha, this.#network);
    this.#dispatchers.push(dispatcher);
    return dispatcher;
  }

  async startTaskManager(name: string, slotCount: number, rack: string | null = null): Promise<SmallTaskManager> {
    const ha = this.election.open();
    const dependencies = { ports: nodePorts, catalog: this.#catalog, createOperator: createTestOperator };
    const manager = await startTaskManager({
      rpc: this.#network.process(name),
      leaders: (onChange) =>
        ha.watchLeader((leader) => {
          if (leader === null) onChange(null);
          else onChange({ epoch: leader.epoch, resourceManagerAddress: `${leader.rpcAddress}/${RESOURCE_MANAGER}` });
        }),
      ports: nodePorts,
      workerHost: inlineWorkerHost((data) => runSlot(data, dependencies)),
      slotCount,
      rack,
      workRoot: `${this.#options.directory}/work/${name}`,
      localRecovery: { mode: 'always', maxBytes: COPIES_BYTES },
      data: { bindHost: '127.0.0.1', host: '127.0.0.1', firstPort: 0, token: null, tls: null },
      drainTimeoutMs: 60_000,
    });
    ha.announceTaskManager({
      taskManagerId: manager.id,
      address: manager.address,
      slotCount,
      rack,
      host: null,
    });
    const kill = (): void => {
      ha.freeze();
      this.#network.kill(name);
    };
    const end = (): Promise<void> => manager.close().then(kill);
    const started: SmallTaskManager = { name, manager, end, kill };
    this.#taskManagers.push(started);
    return started;
  }

  /** The Dispatcher that leads; null while nobody does. */
  get leader(): SmallDispatcher | null {
    const { leader } = this.election;
    return this.#dispatchers.find(({ running }) => running.dispatcherId === leader?.dispatcherId) ?? null;
  }

  /** In the order of their start. */
  get taskManagers(): readonly SmallTaskManager[] {
    return this.#taskManagers;
  }

  /** Once somebody leads that can be asked. */
  async service(): Promise<ClusterService> {
    return this.until('a leader that serves', () => this.leader?.service ?? null);
  }

  /** Waits for something to be there: neither null nor false. */
  async until<T>(what: string, look: () => T | null | false): Promise<T> {
    const deadlineMs = nodePorts.clock.monotonicMs() + 60_000;
    for (;;) {
      const found = look();
      if (found !== null && found !== false) return found;
      if (nodePorts.clock.monotonicMs() > deadlineMs) throw new Error(`waited for ${what}: ${this.#describe()}`);
      await nodePorts.clock.sleep(2);
    }
  }

  /** As the promise; rejects with what there is where it takes too long. */
  async within<T>(what: string, work: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    const settled = (): void => {
      state.isSettled = true;
    };
    work.then(settled, settled);
    await this.until(what, () => state.isSettled);
    return work;
  }

  async close(): Promise<void> {
    for (const { name, running } of this.#dispatchers) await this.within(`the end of ${name}`, running.close());
    // Nobody is left who would move their tasks elsewhere.
    for (const { name, manager } of this.#taskManagers) await this.within(`the end of ${name}`, manager.close());
  }

  #describe(): string {
    const service = this.leader?.service;
    const jobs = service?.jobs().map(({ jobId }) => service.job(jobId)) ?? 'no leader';
    return JSON.stringify({ jobs, taskManagers: service?.taskManagers(), problems: this.problems.map(String) });
  }
}
