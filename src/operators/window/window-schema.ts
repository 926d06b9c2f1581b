import type { StateSchema } from '../../core/index.ts';
import type { AggregateCalls } from '../aggregate/aggregate-calls.ts';
import { layoutSchema } from '../state/state-schema.ts';
import type { CountWindow, SessionWindow, SlicedWindow } from './window-spec.ts';

/** Of windows of every kind: lateness and early firing may change, the window may not. */
export function windowSchema(calls: AggregateCalls, window: SlicedWindow | SessionWindow | CountWindow): StateSchema {
  const key = { fields: calls.keyFields };
  return layoutSchema({ kind: 'window', version: 1, key, values: calls.values, settings: { window: { ...window } } });
}
