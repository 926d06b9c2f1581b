import { messageOf, systemErrorCode } from '../../../core/index.ts';
import type { DirectListener, DirectSocket, DirectSocketHandler, Ports } from '../../../core/index.ts';
import type { DataAddress } from '../../../rpc/index.ts';
import { taskErrors } from '../../errors.ts';
import type { RuntimeLimits } from '../../runtime-limits.ts';
import type { DataPlaneSettings } from '../../slot-messages.ts';
import type { LinkPort } from '../link-port.ts';
import { AcceptingHandshake, ConnectingHandshake } from './handshake.ts';
import type { Hello } from './hello.ts';
import { TcpPort } from './tcp-port.ts';
import { WireConnection } from './wire-connection.ts';

/** Between two attempts to reach a peer whose thread may not be there yet. */
const FIRST_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 500;
/** Connections that have not said yet who they are; more are closed at once. */
const MAX_STRANGERS = 32;
const NONCE_BYTES = 16;

export interface PeerLinksOptions<Slot extends string> {
  readonly jobId: string;
  readonly attempt: number;
  readonly slotId: Slot;
  readonly peers: readonly { readonly slotId: Slot; readonly address: DataAddress }[];
  readonly settings: DataPlaneSettings;
  readonly limits: RuntimeLimits;
  readonly ports: Pick<Ports, 'clock' | 'randomness' | 'network'>;
  /** Called at most once per peer. */
  readonly connected: (peer: Slot, port: LinkPort) => void;
  /** Called instead, where there is no connection within `linkConnectTimeoutMs`. */
  readonly failed: (peer: Slot, error: Error) => void;
}

/**
 * Makes one connection with each slot of another process that this one exchanges data with. Of two slots the one whose
 * id comes first connects. Nothing is ever connected a second time: what was on its way would be lost or doubled.
 */
export class PeerLinks<Slot extends string> {
  readonly #options: PeerLinksOptions<Slot>;
  /** Peers without a connection, and what has come of trying. */
  readonly #missing = new Map<Slot, string>();
  readonly #strangers = new Set<WireConnection>();
  readonly #deadlineMs: number;
  #listener: DirectListener | null = null;
  #isClosed = false;

  constructor(options: PeerLinksOptions<Slot>) {
    this.#options = options;
    const { ports, limits, peers } = options;
    this.#deadlineMs = ports.clock.monotonicMs() + limits.linkConnectTimeoutMs;
    for (const { slotId } of peers) this.#missing.set(slotId, 'it has not answered');
  }

  /** Called once. Goes on by itself until every peer is connected or failed, or close() is called. */
  open(): void {
    const { peers, slotId } = this.#options;
    for (const { slotId: peer, address } of peers) if (slotId < peer) void this.#connect(peer, address);
    if (this.#isExpecting()) void this.#listen();
  }

  close(): void {
    this.#isClosed = true;
    this.#listener?.close();
    for (const stranger of this.#strangers) stranger.fail(new Error('the slot is free'));
  }

  get #remainingMs(): number {
    return this.#deadlineMs - this.#options.ports.clock.monotonicMs();
  }

  /** Whether a peer is to connect that has not. */
  #isExpecting(): boolean {
    return this.#expected().length > 0;
  }

  async #connect(peer: Slot, address: DataAddress): Promise<void> {
    const { clock } = this.#options.ports;
    for (let backoffMs = FIRST_BACKOFF_MS; !this.#isClosed; backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS)) {
      try {
        await this.#dial(peer, address);
        return;
      } catch (error) {
        // An attempt that the deadline has cut off says less than the one before.
        if (this.#remainingMs > 0) this.#missing.set(peer, messageOf(error));
      }
      if (this.#remainingMs <= backoffMs) {
        this.#giveUp(peer, `${address.host}:${address.port}`);
        return;
      }
      await clock.sleep(backoffMs);
    }
  }

  /** Resolves when the peer is connected. */
  #dial(peer: Slot, address: DataAddress): Promise<void> {
    const { jobId, attempt, slotId, settings, limits, ports } = this.#options;
    const { network } = ports;
    if (network.connectDirect === undefined) throw new TypeError('this network has no direct sockets');
    const nonce = ports.randomness.hex(NONCE_BYTES);
    const hello: Hello = { jobId, attempt, from: slotId, to: peer, credits: limits.credits, nonce };
    return new Promise((resolve, reject) => {
      const handshake = new ConnectingHandshake({
        hello,
        token: settings.token,
        ready: ({ credits }) => {
          timer.cancel();
          resolve();
          this.#connected(peer, connection, credits);
        },
        ended: (error) => {
          timer.cancel();
          reject(error);
        },
      });
      const connection = new WireConnection(handshake, this.#isChecked);
      const timeoutMs = Math.max(1, this.#remainingMs);
      const timer = ports.clock.schedule(timeoutMs, () => {
        connection.fail(new Error('it has not answered'));
      });
      network.connectDirect?.({ ...address, timeoutMs, tls: settings.tls }, connection).then((socket) => {
        connection.attach(socket);
        if (connection.isOver || this.#isClosed) socket.close();
        else handshake.start(connection);
      }, handshake.over.bind(handshake));
    });
  }

  /** Listens until all peers that are to connect have done so. The slot's last thread may still have the port. */
  async #listen(): Promise<void> {
    const { settings, ports } = this.#options;
    const { host, port, tls } = settings;
    this.#expire();
    for (;;) {
      try {
        const { network } = ports;
        if (network.listenDirect === undefined) throw new TypeError('this network has no listeners');
        const listener = await network.listenDirect({ host, port, tls }, (socket) => this.#accept(socket));
        if (this.#isClosed || !this.#isExpecting()) listener.close();
        else this.#listener = listener;
        return;
      } catch (error) {
        if (systemErrorCode(error) === 'EADDRINUSE' && this.#remainingMs > 0 && !this.#isClosed) {
          await ports.clock.sleep(FIRST_BACKOFF_MS);
          continue;
        }
        const reason = `nobody can connect, as ${host}:${port} cannot be listened at: ${messageOf(error)}`;
        for (const peer of this.#expected()) this.#fail(peer, `${host}:${port}`, reason);
        return;
      }
    }
  }

  /** Peers that have not connected in time never do. */
  #expire(): void {
    this.#options.ports.clock.schedule(
      Math.max(0, this.#remainingMs),
      () => {
        this.#listener?.close();
        if (this.#isClosed) return;
        const { host, port } = this.#options.settings;
        for (const peer of this.#expected()) this.#giveUp(peer, `${host}:${port}`);
      },
      true,
    );
  }

  #expected(): readonly Slot[] {
    return [...this.#missing.keys()].filter((peer) => peer < this.#options.slotId);
  }

  #expectedOf(name: string): Slot | null {
    return this.#expected().find((peer) => peer === name) ?? null;
  }

  #accept(socket: DirectSocket): DirectSocketHandler {
    const { settings, limits, ports } = this.#options;
    const over = (): void => {
      timer.cancel();
      this.#strangers.delete(connection);
    };
    const handshake = new AcceptingHandshake({
      credits: limits.credits,
      nonce: ports.randomness.hex(NONCE_BYTES),
      token: settings.token,
      judge: (hello) => this.#judge(hello),
      ready: ({ from, credits }) => {
        over();
        const peer = this.#expectedOf(from);
        if (peer !== null) this.#connected(peer, connection, credits);
      },
      ended: over,
    });
    const connection = new WireConnection(handshake, this.#isChecked);
    connection.attach(socket);
    handshake.start(connection);
    const timer = ports.clock.schedule(
      limits.linkHandshakeTimeoutMs,
      () => {
        connection.fail(new Error('it has not said who it is'));
      },
      true,
    );
    if (this.#strangers.size >= MAX_STRANGERS) connection.fail(new Error('too many are connecting'));
    else this.#strangers.add(connection);
    return connection;
  }

  #judge({ jobId, attempt, from, to }: Hello): string | null {
    const { jobId: ownJob, attempt: ownAttempt, slotId } = this.#options;
    if (to !== slotId) return `this is slot ${slotId}`;
    if (jobId !== ownJob || attempt !== ownAttempt) return `slot ${slotId} runs another execution`;
    if (this.#expectedOf(from) === null) return `slot ${slotId} waits for nobody of this name`;
    return null;
  }

  #connected(peer: Slot, connection: WireConnection, peerCredits: number): void {
    const { limits, ports } = this.#options;
    this.#missing.delete(peer);
    const port = new TcpPort(connection, { peer, peerCredits, timeoutMs: limits.linkTimeoutMs, clock: ports.clock });
    connection.handTo(port);
    if (!this.#isExpecting()) this.#listener?.close();
    if (this.#isClosed) connection.fail(new Error('the slot is free'));
    else this.#options.connected(peer, port);
  }

  #giveUp(peer: Slot, address: string): void {
    this.#fail(peer, address, this.#missing.get(peer) ?? '');
  }

  #fail(peer: Slot, address: string, reason: string): void {
    const { slotId: slot, limits } = this.#options;
    if (this.#isClosed || !this.#missing.delete(peer)) return;
    const seconds = Math.round(limits.linkConnectTimeoutMs / 1000);
    this.#options.failed(peer, taskErrors.create('MR-TASK-LINK-UNREACHABLE', { slot, peer, address, seconds, reason }));
  }

  /** TLS has checksums of its own. */
  get #isChecked(): boolean {
    return this.#options.limits.linkChecksums && this.#options.settings.tls === null;
  }
}
