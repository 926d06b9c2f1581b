import type { MillraceError } from '../core/index.ts';
import { haErrors } from './errors.ts';

const ROLE = 'leads the cluster';

/** Whether a leadership still holds. Once lost it never comes back. */
export class Term {
  readonly epoch: number;
  readonly #lost = new AbortController();

  constructor(epoch: number) {
    this.epoch = epoch;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Harmless when repeated: the first reason stands. */
  lose(reason: string): MillraceError {
    if (!this.lost.aborted) this.#lost.abort(haErrors.create('MR-HA-FENCED', { role: ROLE, reason }));
    return this.lost.reason as MillraceError;
  }

  /** Throws MR-HA-FENCED once it is lost. */
  check(): void {
    this.lost.throwIfAborted();
  }

  /** Resolves when it is lost. */
  ended(): Promise<void> {
    if (this.lost.aborted) return Promise.resolve();
    return new Promise((resolve) => this.lost.addEventListener('abort', () => resolve(), { once: true }));
  }
}
