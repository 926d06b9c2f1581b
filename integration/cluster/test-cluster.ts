/** A cluster of real processes for one test, reached through its REST API alone. */
import { join } from 'node:path';

import { ClusterProcess } from './cluster-process.ts';
import { ObservedCluster } from './observed-cluster.ts';
import { RestClient, type TaskView } from './rest-client.ts';

export interface TestClusterOptions {
  /** Logs, and what processes of one machine share, go there; it exists. */
  readonly folder: string;
  readonly dispatchers: number;
  readonly taskManagers: number;
  /** Per TaskManager. */
  readonly slots: number;
  /** `HOST:PORT/FOLDER`; null for embedded coordination in the folder. */
  readonly zookeeper: string | null;
  /** More flags of each process that is there at first, in order. */
  readonly ownFlags?: Readonly<Record<'dispatcher' | 'taskmanager', readonly (readonly string[])[]>>;
  /** More flags of all processes, of Dispatchers and of TaskManagers. */
  readonly flags?: Partial<Readonly<Record<'all' | 'dispatcher' | 'taskmanager', readonly string[]>>>;
}

export class TestCluster extends ObservedCluster {
  readonly #options: TestClusterOptions;
  readonly #dispatchers: ClusterProcess[] = [];
  readonly #taskManagers: ClusterProcess[] = [];
  #started = 0;

  private constructor(options: TestClusterOptions) {
    super();
    this.#options = options;
  }

  /** Resolves when a leader knows all TaskManagers. */
  static async start(options: TestClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    const { ownFlags } = options;
    try {
      for (let i = 0; i < options.dispatchers; i++) cluster.addDispatcher(ownFlags?.dispatcher[i]);
      for (let i = 0; i < options.taskManagers; i++) cluster.addTaskManager(ownFlags?.taskmanager[i]);
      await Promise.all(cluster.#all().map((process) => process.ready));
      await cluster.registered(options.taskManagers);
      return cluster;
    } catch (error) {
      const told = cluster.explain();
      await cluster.close();
      throw new Error(told, { cause: error });
    }
  }

  addDispatcher(flags: readonly string[] = []): ClusterProcess {
    const { folder } = this.#options;
    const places = ['--checkpoints-place', join(folder, 'checkpoints'), '--rest-port', '0'];
    return this.#add(this.#dispatchers, 'dispatcher', [...places, ...flags]);
  }

  addTaskManager(flags: readonly string[] = []): ClusterProcess {
    const { folder, slots } = this.#options;
    const own = ['--slots', String(slots), '--work-directory', join(folder, 'work')];
    return this.#add(this.#taskManagers, 'taskmanager', [...own, ...flags]);
  }

  #add(to: ClusterProcess[], role: 'dispatcher' | 'taskmanager', args: readonly string[]): ClusterProcess {
    const { folder, zookeeper, flags } = this.#options;
    const election = zookeeper === null ? ['--ha-directory', join(folder, 'ha')] : ['--zookeeper', zookeeper];
    const more = [...(flags?.all ?? []), ...(flags?.[role] ?? [])];
    const name = `${role}-${++this.#started}`;
    const process = new ClusterProcess(name, [role, '--no-config', ...election, ...args, ...more], folder);
    to.push(process);
    return process;
  }

  override client(index = 0): RestClient {
    const alive = this.#dispatchers.filter((process) => process.isAlive);
    const process = alive[index % Math.max(1, alive.length)];
    return this.clientOf(process);
  }

  clientOf(process: ClusterProcess | undefined): RestClient {
    const url = process?.readyLine?.restUrl;
    if (url === undefined) throw new Error('no Dispatcher is ready');
    return new RestClient(url);
  }

  /** The processes that live. */
  get dispatchers(): readonly ClusterProcess[] {
    return this.#dispatchers.filter((process) => process.isAlive);
  }

  get taskManagers(): readonly ClusterProcess[] {
    return this.#taskManagers.filter((process) => process.isAlive);
  }

  /** The process that leads, as the others have it: not the one that is given. */
  leader(besides: ClusterProcess | null = null): Promise<ClusterProcess> {
    return this.until('a leader', async () => {
      for (const asked of this.dispatchers) {
        if (asked === besides) continue;
        const known = await this.clientOf(asked).leader();
        const leading = this.dispatchers.find((each) => each.readyLine?.restUrl === known?.['rest-url']);
        if (leading !== undefined && leading !== besides) return leading;
      }
      return undefined;
    });
  }

  /** The process of a TaskManager that runs tasks. */
  taskManagerOf({ 'taskmanager-id': id }: TaskView): ClusterProcess {
    const found = this.#taskManagers.find((process) => process.readyLine?.id === id);
    if (found === undefined) throw new Error(`there is no TaskManager ${String(id)}`);
    return found;
  }

  #all(): readonly ClusterProcess[] {
    return [...this.#dispatchers, ...this.#taskManagers];
  }

  override explain(): string {
    return this.#all().map((process) => process.logTail()).join('\n');
  }

  /** Ends all processes, also those that are stopped. */
  async close(): Promise<void> {
    await Promise.all(this.#all().map((process) => process.kill()));
  }
}
