import { isMillraceError, messageOf } from '../../core/index.ts';
import type { Clock, Counter, LookupReader, LookupRow, Randomness } from '../../core/index.ts';
import { operatorErrors } from '../errors.ts';
import type { Answer } from './answer-cache.ts';
import type { LookupStep } from './lookup-spec.ts';

export interface RequestWorld {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly failures: Counter;
  /** Called after answers have come or failed for good. */
  readonly settled: (answers: readonly Answer[]) => void;
}

/** Asks for answers, so many keys at a time, each as often as the step says (FLIP-232). */
export class LookupRequests {
  readonly #reader: LookupReader;
  readonly #step: LookupStep;
  readonly #world: RequestWorld;
  readonly #keys: LookupRow[] = [];
  readonly #answers: Answer[] = [];
  #next = 0;
  #inFlight = 0;
  readonly #cancels = new Set<() => void>();
  #isClosed = false;

  constructor(reader: LookupReader, step: LookupStep, world: RequestWorld) {
    this.#reader = reader;
    this.#step = step;
    this.#world = world;
  }

  add(key: LookupRow, answer: Answer): void {
    this.#keys.push(key);
    this.#answers.push(answer);
  }

  /** Sends as much of what was added as may be under way; the rest follows by itself. */
  start(): void {
    const { capacity } = this.#step;
    while (!this.#isClosed && this.#next < this.#keys.length && this.#inFlight < capacity) {
      const end = Math.min(this.#keys.length, this.#next + Math.min(this.#reader.batchSize, capacity - this.#inFlight));
      const keys = this.#keys.slice(this.#next, end);
      const answers = this.#answers.slice(this.#next, end);
      this.#next = end;
      this.#inFlight += keys.length;
      void this.#ask(keys, answers);
    }
    if (this.#next < this.#keys.length) return;
    this.#keys.length = 0;
    this.#answers.length = 0;
    this.#next = 0;
  }

  /** Nothing is settled any more. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of [...this.#cancels]) cancel();
  }

  async #ask(keys: readonly LookupRow[], answers: readonly Answer[]): Promise<void> {
    const { attempts } = this.#step.retry;
    for (let attempt = 1; ; attempt++) {
      try {
        const found = await this.#once(keys);
        answers.forEach((answer, index) => {
          answer.found(found[index] ?? []);
        });
        break;
      } catch (error) {
        this.#world.failures.value++;
        const mayHelp = isRetryable(error) && attempt < attempts;
        if (mayHelp && !this.#isClosed) await this.#pause(attempt);
        if (this.#isClosed) return;
        if (mayHelp) continue;
        const failure = this.#failureOf(error, attempt);
        for (const answer of answers) answer.error = failure;
        break;
      }
    }
    this.#inFlight -= keys.length;
    if (this.#isClosed) return;
    this.start();
    this.#world.settled(answers);
  }

  /** One attempt; rejects when its time is over, whatever the reader does. */
  #once(keys: readonly LookupRow[]): Promise<readonly (readonly LookupRow[])[]> {
    const { timeoutMs: timeout, stepId: step } = this.#step;
    const controller = new AbortController();
    let end = (): void => undefined;
    const isLate = new Promise<never>((_, reject) => {
      const giveUp = (): void => {
        const error = operatorErrors.create('MR-OPERATOR-LOOKUP-TIMEOUT', { step, timeout });
        controller.abort(error);
        reject(error);
      };
      const timer = this.#world.clock.schedule(timeout, giveUp);
      this.#cancels.add(giveUp);
      end = () => {
        timer.cancel();
        this.#cancels.delete(giveUp);
      };
    });
    return Promise.race([isLate, this.#lookup(keys, controller.signal)]).finally(() => {
      end();
    });
  }

  async #lookup(keys: readonly LookupRow[], signal: AbortSignal): Promise<readonly (readonly LookupRow[])[]> {
    const found = await this.#reader.lookup(keys, signal);
    if (found.length === keys.length) return found;
    throw new TypeError(`${found.length} answers to ${keys.length} keys`);
  }

  /** Doubling, and up to half less by chance, so that those who failed together do not come back together. */
  #pause(attempt: number): Promise<void> {
    const { initialMs, maxMs } = this.#step.retry;
    const { clock, randomness } = this.#world;
    const delayMs = Math.min(maxMs, initialMs * 2 ** (attempt - 1)) * (1 - randomness.next() / 2);
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#cancels.delete(end);
        resolve();
      };
      const timer = clock.schedule(delayMs, end);
      this.#cancels.add(end);
    });
  }

  /** What cannot be looked up is an error of its rows; anything else is one of the job. */
  #failureOf(error: unknown, attempts: number): unknown {
    if (!isMillraceError(error) || error.scope !== 'record') return error;
    const fields = { step: this.#step.stepId, attempts, problem: messageOf(error) };
    return operatorErrors.create('MR-OPERATOR-LOOKUP-FAILED', fields, error);
  }
}

function isRetryable(error: unknown): boolean {
  return isMillraceError(error) && error.scope === 'record' && error.retry === 'backoff';
}
