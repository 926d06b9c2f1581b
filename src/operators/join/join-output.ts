import { RowKind, setNull } from '../../core/index.ts';
import type { Column, ColumnBatch, OperatorContext } from '../../core/index.ts';
import { BufferedOutput } from '../buffered-output.ts';
import { isOneSided, Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';
import type { JoinStore } from './join-rows.ts';

/** The rows that leave a join; hasRoom() before each. */
export class JoinOutput {
  readonly #output: BufferedOutput;
  readonly #store: JoinStore;
  readonly #leftCount: number;
  readonly #isOneSided: boolean;

  constructor(context: OperatorContext, { type, left, output, bounds, retracts }: JoinSpec, store: JoinStore) {
    const hasKinds = retracts === true || (bounds === null && type !== 'inner' && type !== 'semi');
    this.#output = new BufferedOutput(context, output, hasKinds);
    this.#store = store;
    this.#leftCount = left.fields.length;
    this.#isOneSided = isOneSided(type);
  }

  /** Where rows are written, for messages about one that cannot be. */
  get batch(): ColumnBatch {
    return this.#output.batch;
  }

  hasRoom(): boolean {
    return this.#output.hasRoom();
  }

  emit(): void {
    this.#output.emit();
  }

  pair(left: number, right: number, timestampMs: number, kind: RowKind = RowKind.insert): void {
    const { columns, row } = this.#output;
    this.#store.rowsOf(Side.left).writeAll(left, columns, 0, row);
    this.#store.rowsOf(Side.right).writeAll(right, columns, this.#leftCount, row);
    this.#output.add(kind, timestampMs);
  }

  /** A row without the other side: with NULLs for it, where the output has its fields. */
  alone(side: Side, slot: number, kind: RowKind, timestampMs: number): void {
    const { columns, row } = this.#output;
    const isLeft = side === Side.left;
    this.#store.rowsOf(side).writeAll(slot, columns, isLeft ? 0 : this.#leftCount, row);
    if (!this.#isOneSided) {
      const end = isLeft ? columns.length : this.#leftCount;
      for (let index = isLeft ? this.#leftCount : 0; index < end; index++) setNull(columns[index] as Column, row);
    }
    this.#output.add(kind, timestampMs);
  }
}
