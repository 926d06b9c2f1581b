/** What a join remembers: the rows of both sides, by key. */
import { formatType } from '../../core/index.ts';
import type { ColumnBatch, OptionValue, RowSchema, StateSchema } from '../../core/index.ts';
import type { KeyedBatch } from '../keyed-batch.ts';
import type { RowChains } from '../state/row-chains.ts';
import { fieldNames, keptRowsSchema } from '../state/row-migration.ts';
import { RowsByKey } from '../state/rows-by-key.ts';
import type { KeptInput, RowsUse } from '../state/rows-by-key.ts';
import type { SlotRows } from '../state/row-slots.ts';
import type { JoinRows, JoinStore } from './join-rows.ts';
import { Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';

export class JoinState extends RowsByKey implements JoinStore {
  readonly left: RowChains;
  readonly right: RowChains;

  constructor(spec: JoinSpec, use: RowsUse, schema = joinSchema(spec)) {
    super(spec.stepId, keptSides(spec), schema, use);
    [this.left, this.right] = this.chains as readonly [RowChains, RowChains];
  }

  side(side: Side): RowChains {
    return side === Side.left ? this.left : this.right;
  }

  rowsOf(side: Side): SlotRows {
    return this.side(side).rows;
  }

  bind(side: Side, batch: ColumnBatch, keyed: KeyedBatch): void {
    this.table.bind(keyed.columns);
    this.side(side).rows.bind(batch.columns);
  }

  /** Called before the rows of a batch come: brings what is kept for their keys into memory. */
  prepareBatch(rows: JoinRows, batch: ColumnBatch, side: Side): Promise<void> | undefined {
    if (!this.spilled.isOpen) return undefined;
    rows.begin(batch, side);
    return this.prepare(side, rows.keyed, batch.rowCount);
  }
}

/** The rows of both inputs. */
export function keptSides({ left, right, leftKeys, rightKeys }: JoinSpec): readonly KeptInput[] {
  return [
    { prefix: 'left.', row: left, keys: leftKeys },
    { prefix: 'right.', row: right, keys: rightKeys },
  ];
}

/** What has to be equal for the entries to be read: all that decides about pairs but the rest of the condition. */
export function joinSchema(spec: JoinSpec): StateSchema {
  const { type, leftKeys, rightKeys, bounds, left, right } = spec;
  const settings: Readonly<Record<string, OptionValue>> = {
    type,
    bounds: bounds === null ? null : { ...bounds },
    leftKeys: fieldNames(left, leftKeys),
    rightKeys: fieldNames(right, rightKeys),
  };
  const fields = leftKeys.flatMap((key) => left.fields[key] ?? []);
  return keptRowsSchema('join', { fields }, keptSides(spec), settings);
}

/** The same where rows are taken back: a row has to be found as it was, so none may have become another one. */
export function updatingJoinSchema(spec: JoinSpec): StateSchema {
  const { settings, ...rest } = joinSchema(spec);
  const fieldsOf = ({ fields }: RowSchema): readonly string[] =>
    fields.map(({ name, type }) => `${name} ${formatType(type)}`);
  const rows = { leftRow: fieldsOf(spec.left), rightRow: fieldsOf(spec.right) };
  return { ...rest, kind: 'updating-join', settings: { ...settings, ...rows } };
}
