/**
 * Which of a subtask's ids are free. The lowest is taken first, so that ids that are rarely needed are rarely made; all
 * are free again only once whatever was written under them is known to be committed.
 */
export class IdPool {
  readonly #isTaken: boolean[];

  constructor(size: number) {
    this.#isTaken = Array.from({ length: size }, () => false);
  }

  /** Null while all are taken. */
  take(): number | null {
    const k = this.#isTaken.indexOf(false);
    if (k < 0) return null;
    this.#isTaken[k] = true;
    return k;
  }

  get hasFree(): boolean {
    return this.#isTaken.includes(false);
  }

  give(k: number): void {
    this.#isTaken[k] = false;
  }
}
