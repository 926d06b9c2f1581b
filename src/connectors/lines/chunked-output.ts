/**
 * Bytes on their way out: collected until there are enough of them, then sent while the next ones are collected. One
 * send runs at a time, so that order is kept.
 */
export class ChunkedOutput {
  readonly #send: (bytes: Uint8Array) => Promise<void>;
  readonly #chunkBytes: number;
  #filling: Uint8Array;
  #spare: Uint8Array;
  #used = 0;
  #sending: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(chunkBytes: number, send: (bytes: Uint8Array) => Promise<void>) {
    this.#send = send;
    this.#chunkBytes = chunkBytes;
    this.#filling = new Uint8Array(chunkBytes);
    this.#spare = new Uint8Array(chunkBytes);
  }

  /** Whether more may be collected: false while a full chunk waits for the one before it. */
  get hasRoom(): boolean {
    return this.#used < this.#chunkBytes;
  }

  /** Room for `size` bytes at the returned position of `bytes`; call advance() with what was written. */
  reserve(size: number): number {
    if (this.#used + size > this.#filling.length) {
      const grown = new Uint8Array(Math.max(this.#used + size, this.#filling.length * 2));
      grown.set(this.#filling.subarray(0, this.#used));
      this.#filling = grown;
    }
    return this.#used;
  }

  get bytes(): Uint8Array {
    return this.#filling;
  }

  advance(size: number): void {
    this.#used += size;
    if (!this.hasRoom) this.start();
  }

  /** Sends what is collected unless a send is running. */
  start(): void {
    if (this.#sending !== null || this.#used === 0 || this.#failure !== null) return;
    const chunk = this.#filling.subarray(0, this.#used);
    this.#filling = this.#spare;
    this.#used = 0;
    this.#sending = this.#send(chunk).then(
      () => {
        this.#spare = new Uint8Array(chunk.buffer);
        this.#sending = null;
        if (!this.hasRoom) this.start();
      },
      (error: unknown) => {
        this.#sending = null;
        this.#failure = { error };
      },
    );
  }

  /** Resolves once there is room; rejects when a send has failed. */
  async roomy(): Promise<void> {
    this.#throwFailure();
    while (!this.hasRoom && this.#sending !== null) await this.#sending;
    this.#throwFailure();
  }

  /** Resolves when everything collected so far is sent. */
  async flush(): Promise<void> {
    for (;;) {
      this.#throwFailure();
      this.start();
      if (this.#sending === null) return;
      await this.#sending;
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
