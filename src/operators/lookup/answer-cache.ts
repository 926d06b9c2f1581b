import type { LookupRow } from '../../core/index.ts';
import type { CacheSettings } from './lookup-spec.ts';

export type AnswerKey = string | number | bigint;

const TEXT = new TextEncoder();

/** What is found for a key, or will be. */
export class Answer {
  readonly key: AnswerKey;
  /** Null while it is under way, and where it failed. */
  rows: readonly LookupRow[] | null = null;
  /** Undefined unless it failed. */
  error: unknown = undefined;
  /** On the monotonic clock. */
  expiresAtMs = Infinity;
  /** Rows of the present batch that wait for it; only where they need not leave in order. */
  waiting: number[] | null = null;
  /** Asked for since the cache has last looked for something to forget. */
  isUsed = false;

  constructor(key: AnswerKey) {
    this.key = key;
  }

  get isKnown(): boolean {
    return this.rows !== null || this.error !== undefined;
  }

  /** Texts are kept as the bytes that columns hold, so that they are encoded once. */
  found(rows: readonly LookupRow[]): void {
    this.rows = rows.map((row) => row.map((value) => (typeof value === 'string' ? TEXT.encode(value) : value)));
  }
}

/**
 * Answers by key: those of the cache, or without one those of the present batch. Forgets by second chance (an LRU whose
 * hits cost a flag; Corbató's clock).
 */
export class AnswerCache {
  readonly #settings: CacheSettings | null;
  readonly #answers = new Map<AnswerKey, Answer>();
  #nowMs = 0;

  constructor(settings: CacheSettings | null) {
    this.#settings = settings;
  }

  /** Called before the rows of a batch. */
  begin(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#settings === null) this.#answers.clear();
  }

  find(key: AnswerKey): Answer | undefined {
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    if (answer.expiresAtMs <= this.#nowMs) {
      this.#answers.delete(key);
      return undefined;
    }
    answer.isUsed = true;
    return answer;
  }

  add(answer: Answer): void {
    this.#answers.set(answer.key, answer);
    if (this.#settings !== null && this.#answers.size > this.#settings.rows) this.#forgetOne();
  }

  /** An answer has come: decides how long it counts. */
  settle(answer: Answer, nowMs: number): void {
    const settings = this.#settings;
    if (settings === null) return;
    const { rows } = answer;
    if (rows === null || (rows.length === 0 && !settings.keepsMissing)) {
      if (this.#answers.get(answer.key) === answer) this.#answers.delete(answer.key);
    } else if (settings.ttlMs !== null) {
      answer.expiresAtMs = nowMs + settings.ttlMs;
    }
  }

  #forgetOne(): void {
    for (const [key, answer] of this.#answers) {
      this.#answers.delete(key);
      if (!answer.isUsed) return;
      answer.isUsed = false;
      this.#answers.set(key, answer);
    }
  }
}
