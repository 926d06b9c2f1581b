/** What this room uses of rocksdb-native, which has no types of its own. */
declare module 'rocksdb-native' {
  export interface Batch {
    /** Resolves once the batch is flushed; null where nothing has the key. */
    get(key: Uint8Array): Promise<Uint8Array | null>;
    tryPut(key: Uint8Array, value: Uint8Array): void;
    tryDelete(key: Uint8Array): void;
    /** From `start` on and below `end`. */
    tryDeleteRange(start: Uint8Array, end: Uint8Array): void;
    flush(): Promise<void>;
    /** As flush(), where the promises of get() are what is waited for. */
    tryFlush(): void;
  }

  export interface BatchOptions {
    /** Operations for which room is made at once. */
    readonly capacity: number;
    /** Frees the batch with its flush. */
    readonly autoDestroy: boolean;
  }

  export interface Range {
    readonly gte: Uint8Array;
    readonly lt: Uint8Array;
    readonly limit: number;
  }

  export default class RocksDB {
    constructor(path: string, options: Readonly<Record<string, unknown>>);
    ready(): Promise<void>;
    read(options: BatchOptions): Batch;
    write(options: BatchOptions): Batch;
    /** A session that sees what there is now. */
    snapshot(): RocksDB;
    /** `capacity`: how many entries are fetched at a time. */
    iterator(
      range: Range,
      options: { readonly capacity: number },
    ): AsyncIterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>;
    close(options?: { readonly force: boolean }): Promise<void>;
  }
}
