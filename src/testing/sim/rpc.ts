/**
 * The control plane of a simulated process, as docs/design/020 describes it: one connection after another to each
 * address, calls in order, each sent once at most, answers with a deadline. A connection that breaks fails what waits
 * for an answer; what was on its way may still have arrived, and late.
 */
import { deserializeError, serializeError } from '../../core/index.ts';
import type { MillraceError, Timer } from '../../core/index.ts';
import { EpochFence, gatewayStub, rpcErrors } from '../../rpc/index.ts';
import type { GatewayKind, Gateways, RpcTransport, ServedGateway } from '../../rpc/index.ts';
import { clockOf } from './context.ts';
import type { SimulatedProcess } from './context.ts';
import type { SimulatedNetwork } from './network.ts';
import type { Wire } from './wire.ts';

const CALL_TIMEOUT_MS = 10_000;
/** After so much silence of the other side gRPC takes a connection for dead. */
const KEEPALIVE_MS = 15_000;
/** How long it takes to find out that nobody listens any more. */
const LEAST_REFUSAL_MS = 100;
const LONGEST_REFUSAL_MS = 400;

export interface DeliveredCall {
  readonly from: SimulatedProcess;
  readonly to: SimulatedProcess;
  readonly kind: GatewayKind;
  readonly name: string;
  readonly method: string;
  readonly message: unknown;
}

/** Who looks at calls, and may change them to break something on purpose. */
export interface RpcObserver {
  /** What the receiver gets; null where it gets nothing, and the caller a success. */
  arriving(call: DeliveredCall): unknown;
  /** The receiver takes it: its epoch is none of the older ones. */
  accepted(call: DeliveredCall): void;
}

interface Waiting {
  readonly timer: Timer;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly address: string;
  readonly kind: GatewayKind;
}

interface Served {
  readonly gateway: object;
  readonly fence: EpochFence;
}

/** All connections, and what is served at their ends. */
export class SimulatedRpc {
  readonly network: SimulatedNetwork;
  readonly observer: RpcObserver;
  readonly #served = new Map<SimulatedProcess, Map<string, Served>>();
  readonly #connections = new Set<Connection>();
  /** The newest connection of each caller that its receiver has seen. */
  readonly newest = new Map<string, number>();
  connectionCount = 0;

  constructor(network: SimulatedNetwork, observer: RpcObserver) {
    this.network = network;
    this.observer = observer;
    network.onChange((host) => {
      for (const connection of [...this.#connections]) connection.changed(host);
    });
  }

  served(process: SimulatedProcess, kind: string, name: string): Served | null {
    return this.#served.get(process)?.get(`${kind} ${name}`) ?? null;
  }

  /** The only gateway of this kind that the process serves. */
  gatewayOf<Kind extends GatewayKind>(process: SimulatedProcess, kind: Kind): Gateways[Kind] | null {
    const all = [...(this.#served.get(process) ?? [])];
    return (all.find(([key]) => key.startsWith(`${kind} `))?.[1].gateway ?? null) as Gateways[Kind] | null;
  }

  serve(process: SimulatedProcess, kind: GatewayKind, name: string, gateway: object): () => void {
    const key = `${kind} ${name}`;
    const all = this.#served.get(process) ?? new Map<string, Served>();
    const served = { gateway, fence: new EpochFence(`the ${kind} at ${process.host}/${name}`) };
    this.#served.set(process, all.set(key, served));
    return () => {
      if (all.get(key) === served) all.delete(key);
    };
  }

  open(connection: Connection): void {
    this.#connections.add(connection);
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** All connections between two hosts break; what is on its way may still arrive. */
  breakBetween(host: string, other: string): void {
    for (const connection of [...this.#connections]) {
      const ends = [connection.from.host, connection.host];
      if (ends.includes(host) && ends.includes(other)) connection.break('the connection was reset');
    }
  }

  transport(process: SimulatedProcess): RpcTransport {
    const connections = new Map<string, Connection>();
    const call = (kind: GatewayKind, address: string, method: string, message: unknown): Promise<unknown> => {
      const slash = address.indexOf('/');
      const [host, name] = [address.slice(0, slash), address.slice(slash + 1)];
      if (host === process.host) return this.#callItself(process, kind, name, method, structuredClone(message));
      let connection = connections.get(host);
      if (connection?.isOpen !== true) connections.set(host, (connection = new Connection(this, process, host)));
      return connection.call(kind, name, method, structuredClone(message));
    };
    return {
      serve: <Kind extends GatewayKind>(kind: Kind, name: string, gateway: Gateways[Kind]): ServedGateway => {
        const withdraw = this.serve(process, kind, name, gateway);
        return { address: `${process.host}/${name}`, withdraw };
      },
      connect: (kind, address) => gatewayStub(kind, (method, message) => call(kind, address, method, message)),
      watch: (address, onGone) => this.#watch(process, address.split('/', 1)[0] as string, onGone),
    };
  }

  async #callItself(process: SimulatedProcess, kind: GatewayKind, name: string, method: string, message: unknown) {
    await Promise.resolve();
    const served = this.served(process, kind, name);
    if (served === null) throw unreachable(kind, `${process.host}/${name}`, 'nothing is served there', 'none');
    return structuredClone(await invoke(served.gateway, method, message));
  }

  /** Never because of silence: docs/design/018, "Fast takeover". */
  #watch(process: SimulatedProcess, host: string, onGone: (reason: string) => void): () => void {
    const { network } = this;
    const clock = clockOf(process);
    let seen: SimulatedProcess | null = null;
    let isOver = false;
    const tell = (reason: string): void => {
      stop();
      process.world.tell(`${process.name} knows that ${host} is gone: ${reason}`);
      onGone(reason);
    };
    const look = (): void => {
      if (isOver || network.isBlocked(process.host, host) || network.isBlocked(host, process.host)) return;
      const found = network.processAt(host);
      if (found === null) tell('new connections are refused');
      else if (seen !== null && seen !== found) tell('another process answers');
      else seen = found;
    };
    const lookSoon = (): void => {
      clock.schedule(process.world.between(LEAST_REFUSAL_MS, LONGEST_REFUSAL_MS), look, true);
    };
    const stopListening = network.onChange((changed) => {
      if (changed === host || changed === process.host) lookSoon();
    });
    const stop = (): void => {
      isOver = true;
      stopListening();
    };
    process.onDeath(stop);
    lookSoon();
    return stop;
  }
}

class Connection {
  readonly from: SimulatedProcess;
  readonly host: string;
  readonly #rpc: SimulatedRpc;
  readonly #number: number;
  readonly #requests: Wire;
  readonly #answers: Wire;
  readonly #waiting = new Map<number, Waiting>();
  #to: SimulatedProcess | null = null;
  #calls = 0;
  #isOpen = true;
  #isDoubted = false;
  #isEnding = false;

  constructor(rpc: SimulatedRpc, from: SimulatedProcess, host: string) {
    this.#rpc = rpc;
    this.#number = ++rpc.connectionCount;
    this.from = from;
    this.host = host;
    this.#requests = rpc.network.wire(from.host, host);
    this.#answers = rpc.network.wire(host, from.host);
    rpc.open(this);
    this.changed(host);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  call(kind: GatewayKind, name: string, method: string, message: unknown): Promise<unknown> {
    const id = this.#calls++;
    const address = `${this.host}/${name}`;
    return new Promise((resolve, reject) => {
      const timer = clockOf(this.from).schedule(CALL_TIMEOUT_MS, () => {
        this.#settle(id)?.reject(unreachable(kind, address, 'no answer in time', 'unknown'));
      });
      this.#waiting.set(id, { timer, resolve, reject, address, kind });
      if (!this.from.isAlive) return;
      this.#requests.send(() => this.#arrive(id, kind, name, method, message));
    });
  }

  /** What runs at the other end has changed, or whether it can be reached. */
  changed(host: string): void {
    if (!this.#isOpen || (host !== this.host && host !== this.from.host)) return;
    const { network } = this.#rpc;
    // Its kernel says at once that the process is gone, where that can get through.
    if (this.#to?.isAlive === false && !this.#isEnding) {
      this.#isEnding = true;
      this.#answers.send(() => this.break('the process has ended'));
    }
    const isSilent = network.isBlocked(this.from.host, this.host) || network.isBlocked(this.host, this.from.host);
    if (!isSilent || this.#isDoubted) return;
    this.#isDoubted = true;
    network.world.schedule(KEEPALIVE_MS, () => {
      this.#isDoubted = false;
      const isStill = network.isBlocked(this.from.host, this.host) || network.isBlocked(this.host, this.from.host);
      if (isStill) this.break('nothing is heard of it');
    });
  }

  /** The caller gives it up. What is on its way may still arrive, where the receiver has seen no newer connection. */
  break(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#answers.cut();
    if (this.#rpc.network.world.random() < 0.5) this.#requests.cut();
    this.#rpc.forget(this);
    this.from.perform(() => {
      for (const id of [...this.#waiting.keys()]) {
        const waiting = this.#settle(id);
        waiting?.reject(unreachable(waiting.kind, waiting.address, reason, 'unknown'));
      }
    });
  }

  #settle(id: number): Waiting | null {
    const waiting = this.#waiting.get(id) ?? null;
    this.#waiting.delete(id);
    waiting?.timer.cancel();
    return waiting;
  }

  #arrive(id: number, kind: GatewayKind, name: string, method: string, message: unknown): void {
    const { network, newest } = this.#rpc;
    this.#to ??= network.processAt(this.host);
    const to = this.#to;
    if (to === null || !to.isAlive) {
      this.#answers.send(() => this.break('the connection is refused'));
      return;
    }
    const pair = `${this.from.name} ${to.name}`;
    if ((newest.get(pair) ?? 0) > this.#number) return;
    newest.set(pair, this.#number);
    const call: DeliveredCall = { from: this.from, to, kind, name, method, message };
    to.perform(() => this.#carryOut(id, call));
  }

  #carryOut(id: number, call: DeliveredCall): void {
    const { kind, name, method, to } = call;
    const answer = (settle: (waiting: Waiting) => void): void => {
      if (!to.isAlive) return;
      this.#answers.send(() => {
        this.from.perform(() => {
          const waiting = this.#settle(id);
          if (waiting !== null) settle(waiting);
        });
      });
    };
    const fail = (error: unknown): void => {
      const serialized = serializeError(error);
      call.to.world.tell(`${to.name} refuses ${method} of ${call.from.name}: ${serialized.message}`);
      answer(({ reject }) => reject(deserializeError(serialized)));
    };
    const served = this.#rpc.served(to, kind, name);
    if (served === null) {
      fail(unreachable(kind, `${to.host}/${name}`, 'nothing is served there', 'none'));
      return;
    }
    const message = this.#rpc.observer.arriving(call);
    if (message === null) {
      answer(({ resolve }) => resolve(undefined));
      return;
    }
    try {
      served.fence.check((message as { readonly epoch: number }).epoch);
    } catch (error) {
      fail(error);
      return;
    }
    this.#rpc.observer.accepted({ ...call, message });
    invoke(served.gateway, method, message).then((result) => {
      const copy: unknown = structuredClone(result);
      answer(({ resolve }) => resolve(copy));
    }, fail);
  }
}

async function invoke(gateway: object, method: string, message: unknown): Promise<unknown> {
  return await ((gateway as Record<string, (message: unknown) => Promise<unknown>>)[method]?.call(gateway, message));
}

function unreachable(kind: string, address: string, reason: string, outcome: 'none' | 'unknown'): MillraceError {
  return rpcErrors.create('MR-RPC-UNREACHABLE', { kind, address, reason, outcome });
}
