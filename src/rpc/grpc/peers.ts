import { parseProcessAddress } from './address.ts';
import { Peer } from './peer.ts';
import type { PeerOptions } from './peer.ts';
import { ProcessWatch } from './process-watch.ts';

interface WatchedPeer {
  readonly peer: Peer;
  readonly watch: ProcessWatch;
}

/** All processes that this one has called or watched, by address. */
export class Peers {
  readonly #options: PeerOptions;
  readonly #peers = new Map<string, WatchedPeer>();
  #closedFor: string | null = null;

  constructor(options: Omit<PeerOptions, 'nextConnection'>) {
    let connections = 0;
    this.#options = { ...options, nextConnection: () => ++connections };
  }

  /** `address` is `host:port`; calls to what is not reject. */
  to(address: string): Peer {
    return this.#find(address).peer;
  }

  watch(address: string, onGone: (reason: string) => void): () => void {
    return this.#find(address).watch.add(onGone);
  }

  close(reason: string): void {
    this.#closedFor = reason;
    for (const { peer, watch } of this.#peers.values()) {
      watch.clear();
      peer.close(reason);
    }
  }

  #find(address: string): WatchedPeer {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    this.#forgetUnused();
    const peer: Peer = new Peer(address, this.#options, {
      opened: (processId) => watch.opened(processId),
      closed: () => watch.closed(),
    });
    const watch = new ProcessWatch(peer, this.#options.ports);
    if (this.#closedFor !== null) peer.close(this.#closedFor);
    else if (parseProcessAddress(address) === null) peer.close('that is no address');
    const found = { peer, watch };
    this.#peers.set(address, found);
    return found;
  }

  /** Processes come and go, most of them at addresses that nobody uses again. */
  #forgetUnused(): void {
    for (const [address, { peer, watch }] of this.#peers) {
      if (peer.isUnused && !watch.isWatching) this.#peers.delete(address);
    }
  }
}
