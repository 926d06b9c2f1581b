/** What a join remembers: the rows of both sides, by key. */
import type { OptionValue, StateSchema } from '../../core/index.ts';
import type { RowChains } from '../state/row-chains.ts';
import { fieldNames, keptRowsSchema } from '../state/row-migration.ts';
import { RowsByKey } from '../state/rows-by-key.ts';
import type { KeptInput, RowsUse } from '../state/rows-by-key.ts';
import { Side } from './join-spec.ts';
import type { JoinSpec } from './join-spec.ts';

export class JoinState extends RowsByKey {
  readonly left: RowChains;
  readonly right: RowChains;

  constructor(spec: JoinSpec, use: RowsUse) {
    const sides: readonly KeptInput[] = [
      { prefix: 'left.', row: spec.left, keys: spec.leftKeys },
      { prefix: 'right.', row: spec.right, keys: spec.rightKeys },
    ];
    super(spec.stepId, sides, describe(spec, sides), use);
    [this.left, this.right] = this.chains as readonly [RowChains, RowChains];
  }

  side(side: Side): RowChains {
    return side === Side.left ? this.left : this.right;
  }
}

/** What has to be equal for the entries to be read: all that decides about pairs but the rest of the condition. */
function describe(spec: JoinSpec, sides: readonly KeptInput[]): StateSchema {
  const { type, leftKeys, rightKeys, bounds, left, right } = spec;
  const settings: Readonly<Record<string, OptionValue>> = {
    type,
    bounds: bounds === null ? null : { ...bounds },
    leftKeys: fieldNames(left, leftKeys),
    rightKeys: fieldNames(right, rightKeys),
  };
  const fields = leftKeys.flatMap((key) => left.fields[key] ?? []);
  return keptRowsSchema('join', { fields }, sides, settings);
}
