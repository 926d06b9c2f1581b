/** A cluster in containers, as the suites see it. */
import { findPorts } from '../../scripts/services/index.ts';
import { ObservedCluster } from '../cluster/observed-cluster.ts';
import { RestClient, type TaskView } from '../cluster/rest-client.ts';
import { docker } from './docker.ts';
import { imageOf } from './images.ts';
import type { Member } from './member.ts';
import { currentRun, labelsOf, removeRun, type Run } from './run.ts';
import { membersLabelled, replaceMember, startMember } from './start-member.ts';
import {
  innerBrokers,
  planCluster,
  portsNeeded,
  REST_TOKEN,
  USER_ID,
  type ClusterOptions,
  type Role,
} from './topology.ts';

const TOPOLOGY_LABEL = 'millrace.test-topology';
/** Of all checkpoints together: they are in memory, and a suite fills what is left. */
const CHECKPOINTS_BYTES = 64 * 1024 * 1024;
/** Longer than a TaskManager waits for its tasks to run elsewhere. */
const GRACE_SECONDS = 60;
/** Started together, once those before them are healthy. */
const TIERS: readonly (readonly Role[])[] = [['zookeeper', 'kafka'], ['dispatcher', 'taskmanager']];

/**
 * The cluster of this shape. There is one at a time: the one that is there is healed and used again where it has this
 * shape, else removed. Resolves once everything is healthy and all TaskManagers are registered and idle.
 */
export async function cluster(options: ClusterOptions): Promise<ContainerCluster> {
  const run = currentRun();
  const shape = JSON.stringify(options);
  let members = await membersLabelled(`${TOPOLOGY_LABEL}=${shape}`);
  if (members.length === 0) {
    await removeRun(run.id);
    members = await startCluster(run, options, shape);
  } else {
    await Promise.all(members.map((member) => member.heal()));
  }
  const made = new ContainerCluster(options, members);
  await made.settle();
  return made;
}

async function startCluster(run: Run, options: ClusterOptions, shape: string): Promise<readonly Member[]> {
  const engine = await docker();
  const labels = { ...labelsOf(run), [TOPOLOGY_LABEL]: shape };
  const network = run.id;
  const volume = `${run.id}-checkpoints`;
  await engine.createNetwork(network, labels);
  await engine.createVolume({ name: volume, labels, sizeBytes: CHECKPOINTS_BYTES, userId: USER_ID });
  const ports = await findPorts(portsNeeded(options), new Set());
  const plans = planCluster(run.id, options, ports);
  const started: Member[] = [];
  for (const roles of TIERS) {
    const tier = plans.filter(({ role }) => roles.includes(role));
    const starting = tier.map((plan) => startMember({ plan, image: imageOf(plan.role), network, volume, labels }));
    started.push(...(await Promise.all(starting)));
  }
  return started;
}

export class ContainerCluster extends ObservedCluster {
  readonly options: ClusterOptions;
  /** Eleven containers start and recover on the cores of one machine. */
  protected override readonly patienceMs = 180_000;
  #members: readonly Member[];

  constructor(options: ClusterOptions, members: readonly Member[]) {
    super();
    this.options = options;
    this.#members = members;
  }

  all(role: Role): readonly Member[] {
    return this.#members.filter(({ description }) => description.plan.role === role);
  }

  /** As this machine reaches them. */
  get brokers(): string {
    return this.all('kafka').map(({ hostPort }) => `127.0.0.1:${hostPort}`).join();
  }

  /** As the cluster reaches them. */
  get innerBrokers(): string {
    return innerBrokers(this.#members.map(({ description }) => description.plan));
  }

  override client(index = 0): RestClient {
    const dispatchers = this.all('dispatcher');
    const dispatcher = dispatchers[index % Math.max(1, dispatchers.length)];
    if (dispatcher === undefined) throw new Error('there is no Dispatcher');
    return this.clientOf(dispatcher);
  }

  clientOf({ hostPort }: Member): RestClient {
    return new RestClient(`http://127.0.0.1:${hostPort}`, REST_TOKEN);
  }

  override async explain(): Promise<string> {
    return (await Promise.all(this.#members.map((member) => member.explain()))).join('\n');
  }

  /** The Dispatcher that leads, as one of those that are asked has it; not `besides`. */
  leader(besides: Member | null = null): Promise<Member> {
    return this.until('a leader', async () => {
      for (const asked of this.all('dispatcher')) {
        if (asked === besides) continue;
        const known = await this.clientOf(asked).leader().catch(() => null);
        const host = known === null ? null : new URL(known['rest-url']).hostname;
        const leading = this.all('dispatcher').find(({ name }) => name === host);
        if (leading !== undefined && leading !== besides) return leading;
      }
      return undefined;
    });
  }

  /** The TaskManager that runs the task. */
  async taskManagerOf({ 'taskmanager-id': id }: TaskView): Promise<Member> {
    return this.until(`TaskManager ${String(id)} to be known`, async () => {
      const known = await this.anyClient((client) => client.taskManagers());
      const path = known.find((each) => each.id === id)?.path ?? '';
      return this.all('taskmanager').find(({ name }) => path.startsWith(`${name}:`));
    });
  }

  /** What the first Dispatcher answers that does. */
  async anyClient<T>(ask: (client: RestClient) => Promise<T>): Promise<T> {
    return Promise.any(this.all('dispatcher').map((dispatcher) => ask(this.clientOf(dispatcher))));
  }

  /** Resolves once it is as it was when it was new. */
  async settle(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.healthy(member)));
    if (this.options.dispatchers === 0) return;
    await this.until('all jobs to be over', async () => {
      const jobs = await this.anyClient((client) => client.jobs());
      const running = jobs.filter(({ state }) => !ENDED.has(state));
      await Promise.all(running.map(({ jid }) => this.anyClient((client) => client.cancel(jid))));
      return running.length === 0 ? true : undefined;
    });
    await this.until('all slots to be free', async () => {
      const known = await this.anyClient((client) => client.taskManagers());
      const isIdle = known.every(({ slotsNumber, freeSlots }) => slotsNumber === freeSlots);
      return known.length === this.options.taskManagers && isIdle ? true : undefined;
    });
  }

  /** Ends a member in good order and starts one of another image in its place. Resolves once it is healthy. */
  async upgrade(member: Member, image: string): Promise<void> {
    const exitCode = await member.stop(GRACE_SECONDS);
    if (exitCode !== 0) throw new Error(`${member.name} ended with ${exitCode}\n${await member.explain()}`);
    const successor = await replaceMember(member, image);
    this.#members = this.#members.map((each) => (each === member ? successor : each));
  }

  healthy(member: Member): Promise<true> {
    return this.until(`${member.name} to be healthy`, async () => ((await member.isHealthy()) ? true : undefined));
  }
}

const ENDED: ReadonlySet<string> = new Set(['FINISHED', 'CANCELED', 'FAILED']);
