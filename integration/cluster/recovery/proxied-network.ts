import { findPorts } from '../../../scripts/services/index.ts';
import type { ClusterProcess } from '../cluster-process.ts';
import type { TestClusterOptions } from '../test-cluster.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Who does not hear whom. */
export const partitions = ['to', 'from', 'both'] as const;
export type Partition = (typeof partitions)[number];

interface Member {
  readonly rpc: TcpProxy;
  /** Of a TaskManager with one slot; null for a Dispatcher. */
  readonly data: TcpProxy | null;
  readonly flags: readonly string[];
}

/** A proxy before each port by which processes of a cluster reach each other. Every TaskManager has one slot. */
export class ProxiedNetwork {
  readonly #dispatchers: Member[] = [];
  readonly #taskManagers: Member[] = [];

  private constructor() {}

  static async open(dispatchers: number, taskManagers: number): Promise<ProxiedNetwork> {
    const network = new ProxiedNetwork();
    const ports = await findPorts(dispatchers + 2 * taskManagers, new Set());
    for (let i = 0; i < dispatchers; i++) network.#dispatchers.push(await openMember(ports.shift(), null));
    for (let i = 0; i < taskManagers; i++) {
      network.#taskManagers.push(await openMember(ports.shift(), ports.shift() ?? 0));
    }
    return network;
  }

  /** What each process is told. */
  get ownFlags(): NonNullable<TestClusterOptions['ownFlags']> {
    const flagsOf = (members: readonly Member[]) => members.map(({ flags }) => flags);
    return { dispatcher: flagsOf(this.#dispatchers), taskmanager: flagsOf(this.#taskManagers) };
  }

  /** Between a Dispatcher and all TaskManagers: what goes to it, comes from it, or both. */
  cutDispatcher(process: ClusterProcess, partition: Partition): void {
    cut(memberOf(this.#dispatchers, process).rpc, this.#taskManagers.map(({ rpc }) => rpc), partition);
  }

  /** Between the slots of a TaskManager and those of all others. */
  cutTaskManager(process: ClusterProcess, partition: Partition): void {
    const own = memberOf(this.#taskManagers, process);
    const data = this.#taskManagers.map((each) => each.data ?? each.rpc);
    const ofOwn = own.data ?? own.rpc;
    cut(ofOwn, data.filter((proxy) => proxy !== ofOwn), partition);
  }

  restore(): void {
    for (const proxy of this.#all()) proxy.restore();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((proxy) => proxy.close()));
  }

  #all(): readonly TcpProxy[] {
    const all = [...this.#dispatchers, ...this.#taskManagers];
    return all.flatMap(({ rpc, data }) => (data === null ? [rpc] : [rpc, data]));
  }
}

async function openMember(rpcPort = 0, dataPort: number | null): Promise<Member> {
  const rpc = await TcpProxy.open(rpcPort);
  const flags = ['--rpc-port', String(rpcPort), '--rpc-advertised-port', String(rpc.port)];
  if (dataPort === null) return { rpc, data: null, flags };
  const data = await TcpProxy.open(dataPort);
  flags.push('--data-port', String(dataPort), '--data-advertised-port', String(data.port));
  return { rpc, data, flags };
}

function memberOf(members: readonly Member[], { name, readyLine }: ClusterProcess): Member {
  const found = members.find(({ rpc }) => readyLine?.rpcAddress.endsWith(`:${rpc.port}`) === true);
  if (found === undefined) throw new Error(`there is no proxy before ${name}`);
  return found;
}

/** Whoever called: what goes to one of them is a request that the others make of it, or an answer to its own. */
function cut(one: TcpProxy, others: readonly TcpProxy[], partition: Partition): void {
  if (partition !== 'from') {
    one.block('requests');
    for (const other of others) other.block('answers');
  }
  if (partition !== 'to') {
    one.block('answers');
    for (const other of others) other.block('requests');
  }
}
