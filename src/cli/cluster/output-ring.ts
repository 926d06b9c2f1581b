import type { LogKind, WrittenLog } from '../../rpc/index.ts';

/** Of each kind; a line of a log has some 150 bytes. */
const KEPT_BYTES = 512 * 1024;

/** The end of what this process has written, for those who cannot see its terminal. */
export class OutputRing {
  readonly #nowMs: () => number;
  readonly #kinds: Readonly<Record<LogKind, Written>> = { log: new Written(), stdout: new Written() };

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  add(kind: LogKind, bytes: Uint8Array): void {
    this.#kinds[kind].add(bytes, this.#nowMs());
  }

  read(kind: LogKind): WrittenLog {
    return this.#kinds[kind].read();
  }
}

class Written {
  readonly #chunks: Uint8Array[] = [];
  #keptBytes = 0;
  #writtenBytes = 0;
  #lastAtMs: number | null = null;

  add(bytes: Uint8Array, nowMs: number): void {
    // The caller may use its memory again.
    const chunk = Uint8Array.from(bytes.subarray(-KEPT_BYTES));
    this.#chunks.push(chunk);
    this.#keptBytes += chunk.length;
    this.#writtenBytes += bytes.length;
    this.#lastAtMs = nowMs;
    while (this.#keptBytes - (this.#chunks[0]?.length ?? 0) >= KEPT_BYTES) {
      this.#keptBytes -= this.#chunks.shift()?.length ?? 0;
    }
  }

  read(): WrittenLog {
    const kept = Buffer.concat(this.#chunks).subarray(-KEPT_BYTES);
    // Where the beginning is gone, the first line that is whole.
    const start = this.#writtenBytes > kept.length ? kept.indexOf('\n') + 1 : 0;
    const text = kept.toString('utf8', start);
    return { text, writtenBytes: this.#writtenBytes, lastWrittenAtMs: this.#lastAtMs };
  }
}
