/**
 * Tells when the process behind an address is gone (docs/design/020-rpc.md):
 *
 *   connection closes ─► try TCP ─┬ refused, three times in a row ─► gone
 *                          ▲      ├ accepted ─► greeting ─┬ another process id ─► gone
 *                          │      │                       ├ the same ─► all is well
 *                          └──────┴ anything else ◄───────┘ none
 */
import { systemErrorCode } from '../../core/index.ts';
import type { Ports } from '../../core/index.ts';
import { parseProcessAddress } from './address.ts';
import type { ProcessAddress } from './address.ts';

const REFUSALS = 3;
const REFUSAL_PAUSE_MS = 50;
/** Where nobody answers. */
const SILENCE_PAUSE_MS = 1000;
const CONNECT_TIMEOUT_MS = 1000;

interface Watcher {
  /** Null until the first greeting. */
  processId: string | null;
  readonly onGone: (reason: string) => void;
}

/** What it needs of the peer. */
export interface WatchedPeer {
  readonly address: string;
  readonly isConnected: boolean;
  connect(): void;
}

export class ProcessWatch {
  readonly #peer: WatchedPeer;
  readonly #ports: Pick<Ports, 'clock' | 'network'>;
  readonly #watchers = new Set<Watcher>();
  #processId: string | null = null;
  #isTrying = false;
  #attemptEnded: (() => void) | null = null;

  constructor(peer: WatchedPeer, ports: Pick<Ports, 'clock' | 'network'>) {
    this.#peer = peer;
    this.#ports = ports;
  }

  get isWatching(): boolean {
    return this.#watchers.size > 0;
  }

  add(onGone: (reason: string) => void): () => void {
    const watcher: Watcher = { processId: this.#peer.isConnected ? this.#processId : null, onGone };
    this.#watchers.add(watcher);
    if (!this.#peer.isConnected && !this.#isTrying) void this.#findOut();
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  clear(): void {
    this.#watchers.clear();
    this.#attemptEnded?.();
  }

  /** The peer has been greeted by this process. */
  opened(processId: string): void {
    this.#processId = processId;
    for (const watcher of this.#watchers) {
      watcher.processId ??= processId;
      if (watcher.processId !== processId) this.#tell(watcher, `another process answers at ${this.#peer.address}`);
    }
    this.#attemptEnded?.();
  }

  /** The peer's connection has closed, or could not be made. */
  closed(): void {
    this.#attemptEnded?.();
    if (!this.#isTrying && this.#watchers.size > 0) void this.#findOut();
  }

  #tell(watcher: Watcher, reason: string): void {
    this.#watchers.delete(watcher);
    watcher.onGone(reason);
  }

  /** Ends once it is known, or nobody wants to know any more. Never rejects. */
  async #findOut(): Promise<void> {
    const address = parseProcessAddress(this.#peer.address);
    if (address === null) return;
    this.#isTrying = true;
    let refused = 0;
    let pauseMs = 0;
    while (this.#watchers.size > 0 && !this.#peer.isConnected) {
      if (pauseMs > 0) await this.#ports.clock.sleep(pauseMs);
      const found = await this.#tryTcp(address);
      refused = found === 'refused' ? refused + 1 : 0;
      pauseMs = found === 'silent' ? SILENCE_PAUSE_MS : REFUSAL_PAUSE_MS;
      if (refused === REFUSALS) {
        const reason = `the connection to ${this.#peer.address} has closed, and new ones are refused`;
        for (const watcher of this.#watchers) this.#tell(watcher, reason);
      }
      if (found === 'accepted') await this.#tryGreeting();
    }
    this.#isTrying = false;
  }

  async #tryTcp({ host, port }: ProcessAddress): Promise<'refused' | 'accepted' | 'silent'> {
    try {
      const socket = await this.#ports.network.connect(host, port, CONNECT_TIMEOUT_MS);
      socket.close();
      return 'accepted';
    } catch (error) {
      return systemErrorCode(error) === 'ECONNREFUSED' ? 'refused' : 'silent';
    }
  }

  /** Resolves once the peer's next attempt has succeeded or failed. */
  #tryGreeting(): Promise<void> {
    return new Promise((resolve) => {
      this.#attemptEnded = () => {
        this.#attemptEnded = null;
        resolve();
      };
      this.#peer.connect();
    });
  }
}
