import { hashRows, subtaskOfKeyGroup } from '../../core/index.ts';
import type { Column, ColumnBatch } from '../../core/index.ts';
import type { Exchange } from '../../graph/index.ts';

/** Which rows of a batch go to which target: `rows[cursors[t] .. ends[t])`, or those rows themselves without `rows`. */
export interface Partitioner {
  readonly rows: Int32Array | null;
  /** The writer raises these as it goes. */
  readonly cursors: Int32Array;
  readonly ends: Int32Array;
  /** Starts with a batch. `hasCredit` says which targets could take it at once. */
  partition(batch: ColumnBatch, hasCredit: (target: number) => boolean): void;
}

export function createPartitioner(
  exchange: Exclude<Exchange, { readonly kind: 'forward' }>,
  targetCount: number,
  maxParallelism: number,
  firstTarget: number,
): Partitioner {
  switch (exchange.kind) {
    case 'hash':
      return new HashPartitioner(exchange.keys, targetCount, maxParallelism);
    case 'rebalance':
      return new RebalancePartitioner(targetCount, firstTarget);
    case 'broadcast':
      return new BroadcastPartitioner(targetCount);
  }
}

class HashPartitioner implements Partitioner {
  rows: Int32Array = new Int32Array(0);
  readonly cursors: Int32Array;
  readonly ends: Int32Array;
  readonly #keys: readonly number[];
  readonly #keyGroupCount: number;
  readonly #targetOfKeyGroup: Int32Array;
  #hashes = new Int32Array(0);

  constructor(keys: readonly number[], targetCount: number, maxParallelism: number) {
    this.#keys = keys;
    this.#keyGroupCount = maxParallelism;
    this.cursors = new Int32Array(targetCount);
    this.ends = new Int32Array(targetCount);
    this.#targetOfKeyGroup = Int32Array.from({ length: maxParallelism }, (_, group) =>
      subtaskOfKeyGroup(group, maxParallelism, targetCount),
    );
  }

  /** A counting sort of the rows by target. */
  partition(batch: ColumnBatch): void {
    const { rowCount } = batch;
    if (this.rows.length < rowCount) {
      this.rows = new Int32Array(rowCount);
      this.#hashes = new Int32Array(rowCount);
    }
    const { rows, cursors, ends } = this;
    const targets = this.#hashes;
    hashRows(this.#keys.map((key) => batch.columns[key] as Column), rowCount, targets);
    const keyGroupCount = this.#keyGroupCount;
    const mask = (keyGroupCount & (keyGroupCount - 1)) === 0 ? keyGroupCount - 1 : -1;
    const targetOfKeyGroup = this.#targetOfKeyGroup;
    ends.fill(0);
    for (let row = 0; row < rowCount; row++) {
      // core's keyGroupOf, in place; the remainder by a power of two is a mask.
      const hash = targets[row] as number;
      const group = mask >= 0 ? hash & mask : (hash >>> 0) % keyGroupCount;
      const target = targetOfKeyGroup[group] as number;
      targets[row] = target;
      ends[target] = (ends[target] as number) + 1;
    }
    let start = 0;
    for (let target = 0; target < ends.length; target++) {
      cursors[target] = start;
      start += ends[target] as number;
      ends[target] = cursors[target] as number;
    }
    for (let row = 0; row < rowCount; row++) {
      const target = targets[row] as number;
      const at = ends[target] as number;
      rows[at] = row;
      ends[target] = at + 1;
    }
  }
}

/** Each batch to the next target that has credit; to the next one where none has. */
class RebalancePartitioner implements Partitioner {
  readonly rows = null;
  readonly cursors: Int32Array;
  readonly ends: Int32Array;
  #next: number;

  /** Senders start at different targets, so that few batches do not all go to the first. */
  constructor(targetCount: number, firstTarget: number) {
    this.cursors = new Int32Array(targetCount);
    this.ends = new Int32Array(targetCount);
    this.#next = firstTarget % targetCount;
  }

  partition(batch: ColumnBatch, hasCredit: (target: number) => boolean): void {
    const count = this.ends.length;
    let target = this.#next;
    for (let tried = 0; tried < count && !hasCredit(target); tried++) target = (target + 1) % count;
    this.cursors.fill(0);
    this.ends.fill(0);
    this.ends[target] = batch.rowCount;
    this.#next = (target + 1) % count;
  }
}

class BroadcastPartitioner implements Partitioner {
  readonly rows = null;
  readonly cursors: Int32Array;
  readonly ends: Int32Array;

  constructor(targetCount: number) {
    this.cursors = new Int32Array(targetCount);
    this.ends = new Int32Array(targetCount);
  }

  partition(batch: ColumnBatch): void {
    this.cursors.fill(0);
    this.ends.fill(batch.rowCount);
  }
}
