import { formatType } from '../../core/index.ts';
import type { Field, OptionValue, RowSchema, StateChunk, StateSchema, StateSnapshot } from '../../core/index.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { KeyTable } from '../state/key-table.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { layoutSchema, matchSchemas } from '../state/state-schema.ts';
import { readTime } from '../state/time-codec.ts';
import { MARKED, RowChains } from '../state/row-chains.ts';
import { Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';

const SPACE = 0;

/** What a join remembers: the rows of both sides, by key. */
export class JoinState {
  readonly table: KeyTable;
  readonly left: RowChains;
  readonly right: RowChains;
  readonly schema: StateSchema;
  /** Of both sides, one after the other. */
  readonly snapshots = { take: (keyGroupCount: number): StateSnapshot => this.#takeSnapshot(keyGroupCount) };
  readonly #spec: JoinSpec;

  constructor(spec: JoinSpec) {
    this.#spec = spec;
    const keyFields = spec.leftKeys.map((key) => spec.left.fields[key] as Field);
    const typesOf = ({ fields }: RowSchema) => fields.map(({ type }) => type);
    this.table = new KeyTable(keyFields.map(({ type }) => type));
    this.left = new RowChains(Side.left, typesOf(spec.left), this.table);
    this.right = new RowChains(Side.right, typesOf(spec.right), this.table);
    this.schema = describe(spec, { fields: keyFields });
  }

  get sizeBytes(): number {
    return this.table.sizeBytes + this.left.sizeBytes + this.right.sizeBytes;
  }

  side(side: Side): RowChains {
    return side === Side.left ? this.left : this.right;
  }

  /** The slot of a row's key, which is made where it has none. The table is bound to the row's columns. */
  keyOf(hash: number, row: number): number {
    const slot = this.table.find(hash, row, SPACE);
    return slot < 0 ? this.table.insert(hash, row, SPACE) : slot;
  }

  /** Forgets a row, and its key with the last row of it. */
  remove(side: Side, slot: number): void {
    const own = this.side(side);
    const key = own.keyOf(slot);
    own.remove(slot);
    if (key >= 0 && this.left.head(key) < 0 && this.right.head(key) < 0) this.table.remove(key);
  }

  /** Calls `take` for every row, which it has to put into the chain of its key. */
  restore(
    { bytes, keyGroup }: StateChunk,
    written: StateSchema,
    keyGroupCount: number,
    take: (side: Side, slot: number, key: number) => void,
  ): void {
    const { stepId, left, right, leftKeys, rightKeys } = this.#spec;
    matchSchemas(written, this.schema, stepId);
    const from = new ByteReader(bytes, stepId);
    const scratch = [new ScratchRow(left, leftKeys), new ScratchRow(right, rightKeys)] as const;
    while (!from.atEnd) {
      const sort = from.byte();
      if (sort > (MARKED | 1)) from.fail(`there is no kind of entry ${sort}`);
      const side = (sort & 1) as Side;
      const time = readTime(from);
      const row = scratch[side];
      const hash = row.readKey(from, keyGroup, keyGroupCount);
      this.table.bind(row.keys);
      const own = this.side(side);
      own.rows.bind(row.columns);
      const slot = own.add(0, time);
      if ((sort & MARKED) !== 0) own.mark(slot);
      take(side, slot, this.keyOf(hash, 0));
    }
  }

  #takeSnapshot(keyGroupCount: number): StateSnapshot {
    const parts = [this.left, this.right].map(({ snapshots }) => snapshots.take(keyGroupCount));
    return {
      next: () => {
        for (const part of parts) {
          const chunk = part.next();
          if (chunk !== null) return chunk;
        }
        return null;
      },
      release: () => {
        for (const part of parts) part.release();
      },
    };
  }
}

/** What has to be equal for the entries to be read: all that decides about pairs but the rest of the condition. */
function describe({ type, leftKeys, rightKeys, bounds, left, right }: JoinSpec, key: RowSchema): StateSchema {
  const typesOf = ({ fields }: RowSchema): readonly string[] => fields.map((field) => formatType(field.type));
  const settings: Readonly<Record<string, OptionValue>> = {
    type,
    bounds: bounds === null ? null : { ...bounds },
    left: typesOf(left),
    leftKeys,
    right: typesOf(right),
    rightKeys,
  };
  return layoutSchema({ kind: 'join', version: 1, key, values: [], settings });
}
