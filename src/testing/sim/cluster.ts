/** Dispatchers and TaskManagers, the real ones, in simulated processes around a simulated ZooKeeper and Kafka. */
import type { ConnectorCatalog, CrashPoint, FileSystem, Ports } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { RESOURCE_MANAGER, startDispatcher } from '../../dispatcher/index.ts';
import type { ClusterService, RunningDispatcher } from '../../dispatcher/index.ts';
import { zooKeeperHighAvailability } from '../../ha/index.ts';
import type { HighAvailability } from '../../ha/index.ts';
import { startTaskManager } from '../../taskmanager/index.ts';
import type { TaskManager } from '../../taskmanager/index.ts';
import { MemoryCheckpointStorage } from '../memory-checkpoint-storage.ts';
import { sequenceSource } from '../sequence-source.ts';
import { SimulatedZooKeeper } from '../simulated-zookeeper.ts';
import type { SimulatedLink } from '../simulated-zookeeper.ts';
import type { Break } from './breaks.ts';
import { CallObserver } from './call-observer.ts';
import { clockOf, macrotasksOf, randomnessOf, SimulatedProcess } from './context.ts';
import type { Context } from './context.ts';
import { gatedZooKeeper } from './gated-zookeeper.ts';
import type { Invariants } from './invariants.ts';
import { KafkaClient } from './kafka-client.ts';
import { kafkaSink } from './kafka-sink.ts';
import { messageChannelsOf } from './message-channels.ts';
import { SimulatedNetwork } from './network.ts';
import { SimulatedRpc } from './rpc.ts';
import { jobOf } from './job.ts';
import { slotThreads } from './slot-threads.ts';
import { SimulatedKafka } from './simulated-kafka.ts';
import { SimulatedSockets } from './sockets.ts';
import { SharedStorage } from './storage.ts';
import type { World } from './world.ts';

export const ZOOKEEPER_PATH = '/millrace';
const SESSION_TIMEOUT_MS = 6000;
const ORPHAN_TIMEOUT_MS = 600_000;
const DRAIN_TIMEOUT_MS = 10_000;
/** As the note on the commit protocol asks: longer than any outage that is borne. */
const TRANSACTION_TIMEOUT_MS = 900_000;

export interface ClusterOptions {
  readonly world: World;
  readonly invariants: Invariants;
  readonly broken: Break | null;
  readonly dispatchers: readonly string[];
  /** By host: how many slots. */
  readonly taskManagers: ReadonlyMap<string, number>;
}

interface Running {
  readonly process: SimulatedProcess;
  readonly link: SimulatedLink;
  readonly dispatcher: RunningDispatcher | null;
  /** Ends it as by SIGTERM. */
  readonly close: () => Promise<void>;
}

export class SimulatedCluster {
  readonly world: World;
  readonly network: SimulatedNetwork;
  readonly rpc: SimulatedRpc;
  readonly sockets: SimulatedSockets;
  readonly kafka: SimulatedKafka;
  readonly storage: SharedStorage;
  readonly zooKeeper: SimulatedZooKeeper;
  readonly #options: ClusterOptions;
  readonly #running = new Map<string, Running>();
  /** Links of processes that died while nothing got through: what is on its way may still arrive. */
  readonly #deadLinks: SimulatedLink[] = [];
  #processes = 0;
  /** Called at every crash point of whatever runs on a host. */
  onCrashPoint: (host: string, name: CrashPoint) => void = () => undefined;

  constructor(options: ClusterOptions) {
    const { world, invariants, broken } = options;
    this.#options = options;
    this.world = world;
    this.network = new SimulatedNetwork(world);
    const observer = new CallObserver(invariants, broken);
    this.rpc = observer.rpc = new SimulatedRpc(this.network, observer);
    this.sockets = new SimulatedSockets(this.network);
    this.kafka = new SimulatedKafka(world, invariants, TRANSACTION_TIMEOUT_MS);
    const damage = broken === 'stale-restore' ? 'stale' : broken === 'forgotten-handles' ? 'no-handles' : 'none';
    this.storage = new SharedStorage(new MemoryCheckpointStorage(), damage, (name, { vertices }) => {
      const subtasks = vertices.flatMap((vertex) => vertex.subtasks);
      invariants.metadataWritten(name, subtasks.flatMap(({ committables }) => committables));
    });
    this.zooKeeper = new SimulatedZooKeeper(clockOf({ world, isAlive: true, perform: (run) => run() }));
    this.zooKeeper.ignoresChecks = broken === 'ignored-fence';
    this.zooKeeper.onWrite = (write, path, holder) => invariants.written(write, path, holder);
  }

  get hosts(): readonly string[] {
    return [...this.#options.dispatchers, ...this.#options.taskManagers.keys()];
  }

  running(host: string): Running | null {
    return this.#running.get(host) ?? null;
  }

  startAll(): void {
    for (const host of this.hosts) this.start(host);
  }

  /** Harmless where it runs. */
  start(host: string): void {
    if (this.#running.has(host)) return;
    const process = new SimulatedProcess(this.world, host, ++this.#processes);
    this.world.tell(`${process.name} starts`);
    this.network.attach(process);
    const link = this.zooKeeper.link(SESSION_TIMEOUT_MS, process.name);
    const ports = this.#portsOf(process, process);
    const ha = zooKeeperHighAvailability({
      connect: gatedZooKeeper(process, link.connect, this.#options.broken === 'unborne-loss'),
      address: 'zookeeper',
      path: ZOOKEEPER_PATH,
      ports,
      onProblem: (error) => this.world.tell(`${process.name} has a problem: ${error.message}`),
    });
    const slotCount = this.#options.taskManagers.get(host);
    if (slotCount === undefined) this.#startDispatcher(process, link, ports, ha);
    else this.#startTaskManager(process, link, ports, ha, slotCount);
  }

  /** As by SIGKILL. */
  kill(host: string): void {
    const running = this.#running.get(host);
    if (running === undefined) return;
    this.world.tell(`${running.process.name} is killed`);
    this.#running.delete(host);
    running.process.kill();
    if (running.link.isSilent) this.#deadLinks.push(running.link);
    else running.link.cut();
  }

  /** As by SIGTERM; `ended` is called once the process is gone, if it was not killed before. */
  end(host: string, ended: () => void): void {
    const running = this.#running.get(host);
    if (running === undefined || running.process.isStopped) return;
    this.world.tell(`${running.process.name} is asked to end`);
    running.close().then(
      () => {
        if (this.#running.get(host) !== running) return;
        this.kill(host);
        ended();
      },
      (error: unknown) => this.world.violated('clean-end', `${host} cannot be ended: ${String(error)}`),
    );
  }

  stop(host: string): void {
    const running = this.#running.get(host);
    if (running === undefined) return;
    this.world.tell(`${running.process.name} is stopped`);
    running.process.stop();
    running.link.silence();
  }

  resume(host: string): void {
    const running = this.#running.get(host);
    if (running?.process.isStopped !== true) return;
    this.world.tell(`${running.process.name} goes on`);
    running.process.resume();
    running.link.restore();
  }

  /** Links to ZooKeeper work again, those of the dead until what was on its way has arrived. */
  restoreLinks(): void {
    for (const { link, process } of this.#running.values()) {
      if (process.isStopped) continue;
      link.restore();
      link.hear();
    }
    for (const link of this.#deadLinks.splice(0)) {
      link.restore();
      link.cut();
    }
  }

  /** Null while nobody leads who could be asked. */
  get service(): ClusterService | null {
    for (const { dispatcher, process } of this.#running.values()) {
      if (dispatcher?.service != null && !process.isStopped) return dispatcher.service;
    }
    return null;
  }

  /** The host of the process that leads, as far as it knows. */
  get leaderHost(): string | null {
    for (const [host, { dispatcher }] of this.#running) if (dispatcher?.service != null) return host;
    return null;
  }

  #startDispatcher(process: SimulatedProcess, link: SimulatedLink, ports: Ports, ha: HighAvailability): void {
    const catalog = this.#catalogOf(process, process.host);
    const dispatcher = startDispatcher({
      ports,
      loadCatalog: async () => catalog,
      rpc: this.rpc.transport(process),
      ha,
      rpcAddress: process.host,
      restUrl: `http://${process.host}`,
      compile: async ({ text }, parallelism) => ({ problems: [], jobGraph: jobOf(text, parallelism) }),
      openStorage: () => this.storage.of(process),
      stateSchemas: async () => new Map(),
      checkpointPlace: { location: '/simulated/checkpoints', s3: {} },
      heartbeats: { intervalMs: 1000, timeoutMs: 5000 },
      slotTimeoutMs: 300_000,
      takeoverTimeoutMs: 10_000,
      localityWaitMs: 0,
      onProblem: (error) => this.world.tell(`${process.name} has a problem: ${error.message}`),
      onLeading: (isLeading) => this.world.tell(`${process.name} ${isLeading ? 'leads' : 'leads no more'}`),
    });
    const close = async (): Promise<void> => {
      await dispatcher.close();
      await ha.close();
    };
    this.#running.set(process.host, { process, link, dispatcher, close });
  }

  #startTaskManager(
    process: SimulatedProcess,
    link: SimulatedLink,
    ports: Ports,
    ha: HighAvailability,
    slotCount: number,
  ): void {
    const { host } = process;
    const started: Promise<TaskManager> = startTaskManager({
      rpc: this.rpc.transport(process),
      leaders: (onChange) =>
        ha.watchLeader((leader) => {
          if (leader === null) onChange(null);
          else onChange({ epoch: leader.epoch, resourceManagerAddress: `${leader.rpcAddress}/${RESOURCE_MANAGER}` });
        }),
      ports,
      workerHost: this.#slotThreads(process),
      slotCount,
      slotMemoryBytes: 1024 * 1024,
      rack: host,
      host,
      data: { bindHost: host, host, firstPort: 0, token: null, tls: null },
      orphanTimeoutMs: ORPHAN_TIMEOUT_MS,
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
    });
    let stopAnnouncing: () => Promise<void> = () => Promise.resolve();
    void started.then(({ id, address }) => {
      stopAnnouncing = ha.announceTaskManager({ taskManagerId: id, address, slotCount, rack: host, host });
    });
    const close = async (): Promise<void> => {
      await (await started).close();
      await stopAnnouncing();
      await ha.close();
    };
    this.#running.set(host, { process, link, dispatcher: null, close });
  }

  #slotThreads(process: SimulatedProcess) {
    const { invariants, broken } = this.#options;
    return slotThreads({
      process,
      portsOf: (thread) => this.#portsOf(process, thread),
      catalogOf: (thread) => this.#catalogOf(thread, process.host),
      openStorage: (thread) => () => this.storage.of(thread),
      onStart: (slot, thread) => invariants.slotStarts(slot, thread),
      onEnd: (slot, thread) => {
        this.sockets.threadEnded(thread);
        invariants.slotEnded(slot, thread);
      },
      endsTooEarly: broken === 'slot-twice',
    });
  }

  #catalogOf(context: Context, host: string): ConnectorCatalog {
    const client = (): KafkaClient => new KafkaClient(this.kafka, this.network, context, host);
    const sink = kafkaSink(client);
    const broken: typeof sink = {
      ...sink,
      createCommitter: (spec, around) => {
        const committer = sink.createCommitter?.(spec, around);
        if (committer === undefined) throw new Error('there is no committer');
        return { ...committer, abortOlder: () => Promise.resolve() };
      },
    };
    return {
      sources: new Map([['sequence', sequenceSource]]),
      sinks: new Map([['kafka', this.#options.broken === 'open-leftovers' ? broken : sink]]),
      formats: new Map(),
    };
  }

  #portsOf(process: SimulatedProcess, context: Context): Ports {
    return {
      clock: clockOf(context),
      randomness: randomnessOf(this.world),
      macrotasks: macrotasksOf(context),
      files: noFiles,
      network: this.sockets.of(process, context),
      streams: nodePorts.streams,
      channels: messageChannelsOf(context),
      crashPoints: { reached: (name) => this.#reached(process, context, name) },
    };
  }

  #reached(process: SimulatedProcess, context: Context, name: CrashPoint): void {
    if (context.isAlive) this.onCrashPoint(process.host, name);
  }
}

/** Nothing of a cluster whose checkpoints are elsewhere needs files. */
const noFiles = new Proxy({} as FileSystem, {
  get: (_, name) => () => Promise.reject(new Error(`a simulated process has no files: ${String(name)}`)),
});
