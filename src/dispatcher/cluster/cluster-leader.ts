import { toMillraceError } from '../../core/index.ts';
import type {
  CheckpointPlace,
  ConnectorCatalog,
  MillraceError,
  Ports,
  StateSchema,
  TaskManagerId,
} from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import { clusterJobStore, clusterRecords } from '../../ha/index.ts';
import type { ClusterRecords, HighAvailability, Leadership, TaskManagerAnnouncement } from '../../ha/index.ts';
import { EpochFence, JOB_CODE } from '../../rpc/index.ts';
import type { JobCodeGateway, RpcTransport, ServedGateway } from '../../rpc/index.ts';
import type { OpenStorage } from '../../scheduler/index.ts';
import type { ClusterService } from '../cluster-service.ts';
import { Dispatcher } from '../dispatcher.ts';
import type { HeartbeatSettings } from '../slots/heartbeat-monitor.ts';
import { ResourceManager } from '../slots/resource-manager.ts';
import { CheckpointPlaces } from './checkpoint-places.ts';
import { ClusterJobs } from './cluster-jobs.ts';
import { checkedCode } from './job-source.ts';
import { LeadingService } from './leading-service.ts';
import type { CompileSource } from './leading-service.ts';
import { ReactiveJobs } from './reactive-jobs.ts';
import { restoreProblem } from './restore-problem.ts';
import { VanishedDrains } from './vanished-drains.ts';

export interface ClusterLeaderOptions {
  readonly ports: Ports;
  /** Called with the first job, as `stateSchemas` and `compile` are: what they need is loaded late. */
  readonly loadCatalog: () => Promise<ConnectorCatalog>;
  readonly rpc: RpcTransport;
  readonly ha: HighAvailability;
  readonly compile: CompileSource;
  readonly openStorage: OpenStorage;
  readonly stateSchemas: (graph: JobGraph) => Promise<ReadonlyMap<string, StateSchema>>;
  /** For the checkpoints of jobs that name no place; null where they must. */
  readonly checkpointPlace: CheckpointPlace | null;
  readonly heartbeats: HeartbeatSettings;
  readonly slotTimeoutMs: number;
  readonly takeoverTimeoutMs: number;
  /** How long a job waits for slots in which nothing is read across racks; 0 if absent. */
  readonly localityWaitMs?: number;
  readonly onProblem: (error: MillraceError) => void;
}

/** Where TaskManagers register, of the gateways of a leader's process. */
export const RESOURCE_MANAGER = 'resource-manager';

/** All that one leadership does, from its grant to its loss. */
export class ClusterLeader {
  readonly #options: ClusterLeaderOptions;
  readonly #leadership: Leadership;
  readonly #records: ClusterRecords;
  readonly #slots: ResourceManager;
  readonly #jobs: ClusterJobs;
  readonly #service: LeadingService;
  readonly #reactive: ReactiveJobs;
  readonly #drains: VanishedDrains;
  readonly #stops: (() => void)[] = [];
  /** By TaskManager: what ends the watch of its process. */
  readonly #watches = new Map<TaskManagerId, () => void>();
  #hasEnded = false;
  #isPublished = false;

  constructor(options: ClusterLeaderOptions, leadership: Leadership) {
    const { ports, loadCatalog, rpc, heartbeats, openStorage, checkpointPlace, compile, onProblem } = options;
    this.#options = options;
    this.#leadership = leadership;
    this.#records = clusterRecords(leadership.store);
    this.#slots = new ResourceManager({ clock: ports.clock, epoch: leadership.epoch, remote: { rpc, heartbeats } });
    const store = clusterJobStore(leadership);
    const places = new CheckpointPlaces(leadership.store, ports.randomness, checkpointPlace);
    const dispatcher = new Dispatcher({
      ...options,
      slots: this.#slots,
      epoch: leadership.epoch,
      store,
      findStorage: async (graph) => {
        const storageConfig = await places.keep(graph);
        return { storageConfig, storage: openStorage(storageConfig) };
      },
      plansOf: (jobId) => ({
        read: () => this.#records.plan(jobId),
        write: (plan) => this.#records.writePlan(plan),
      }),
    });
    this.#jobs = new ClusterJobs({
      clock: ports.clock,
      records: this.#records,
      dispatcher,
      expectAdoption: (jobId, attempts) => this.#slots.expectAdoption(jobId, attempts),
      slotsFreed: (jobId) => this.#slots.whenFreed(jobId),
      onProblem,
    });
    const { slots, records, jobs } = { slots: this.#slots, records: this.#records, jobs: this.#jobs };
    const service = new LeadingService({ ports, loadCatalog, compile, jobs, slots, records, places });
    this.#service = service;
    this.#reactive = new ReactiveJobs({
      ...{ clock: ports.clock, jobs, slots, onProblem },
      compile: (job, parallelism) => service.compileAnew(job, parallelism),
      restoreProblem: (job, graph) => restoreProblem(store, job, graph),
    });
    this.#drains = new VanishedDrains({ clock: ports.clock, records, slots, onProblem });
  }

  /** Null before it is published, and after its end. */
  get service(): ClusterService | null {
    return this.#isPublished && !this.#hasEnded ? this.#service : null;
  }

  /** Goes on with what earlier leaders have left, and lets others find it. Rejects where the store fails it. */
  async begin(): Promise<void> {
    const { ha, rpc } = this.#options;
    await this.#readDrains();
    this.#stops.push(ha.watchTaskManagers((all) => this.#lookFor(all)));
    await this.#jobs.recover();
    if (this.#hasEnded) return;
    const served: readonly ServedGateway[] = [
      rpc.serve('job-code', JOB_CODE, jobCodeReader(this.#records, this.#leadership.epoch)),
      rpc.serve('resource-manager', RESOURCE_MANAGER, this.#slots),
    ];
    this.#stops.push(...served.map((each) => () => each.withdraw()));
    await this.#leadership.publish();
    this.#isPublished = true;
  }

  /** Another one leads, or will: lets go of everything. Tasks, transactions and the store stay as they are. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reactive.close();
    this.#drains.close();
    this.#jobs.abandon();
    this.#slots.close();
    for (const stop of [...this.#stops.splice(0), ...this.#watches.values()]) stop();
    this.#watches.clear();
  }

  async #readDrains(): Promise<void> {
    const nowMs = this.#options.ports.clock.nowMs();
    for (const mark of await this.#records.drains()) {
      if (mark.expiresAtMs === null || mark.expiresAtMs > nowMs) this.#slots.drain(mark);
      else await this.#records.clearDrain(mark.taskManagerId);
    }
  }

  /** One that died with the last leader never registers: jobs that wait for it need not wait to the end. */
  #lookFor(taskManagers: readonly TaskManagerAnnouncement[]): void {
    const { rpc } = this.#options;
    if (this.#hasEnded) return;
    const present = new Set(taskManagers.map(({ taskManagerId }) => taskManagerId as TaskManagerId));
    this.#slots.taskManagersAnnounced(present);
    for (const [id, stop] of this.#watches) {
      if (present.has(id)) continue;
      this.#watches.delete(id);
      stop();
    }
    for (const { taskManagerId, address } of taskManagers) {
      const id = taskManagerId as TaskManagerId;
      if (this.#watches.has(id)) continue;
      const stop = rpc.watch(address, (reason) => this.#slots.taskManagerGone(id, reason));
      this.#watches.set(id, stop);
    }
  }
}

/** What TaskManagers fetch before they run a job that came with code. */
function jobCodeReader(records: ClusterRecords, ownEpoch: number): JobCodeGateway {
  const fence = new EpochFence('the code of jobs');
  fence.check(ownEpoch);
  return {
    async readCode({ epoch, jobId, hash }) {
      fence.check(epoch);
      return { text: checkedCode(await records.code(jobId), hash).text };
    },
  };
}

/** Reports what goes wrong to `onProblem`. */
export function reporting(onProblem: (error: MillraceError) => void, work: Promise<unknown>): void {
  work.catch((error: unknown) => onProblem(toMillraceError(error)));
}
