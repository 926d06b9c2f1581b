import { rpcErrors } from './errors.ts';

/** What a receiver remembers of the epochs it has seen; refuses messages of leaders that were replaced. */
export class EpochFence {
  readonly #receiver: string;
  #newest = 0;

  /** `receiver` names it in the error. */
  constructor(receiver: string) {
    this.#receiver = receiver;
  }

  get newest(): number {
    return this.#newest;
  }

  /** Throws MR-RPC-STALE-EPOCH for an epoch older than the newest seen; remembers a newer one. */
  check(epoch: number): void {
    if (epoch < this.#newest) {
      throw rpcErrors.create('MR-RPC-STALE-EPOCH', { receiver: this.#receiver, epoch, newest: this.#newest });
    }
    this.#newest = epoch;
  }
}
