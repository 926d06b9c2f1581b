import type { Operator } from '../../core/index.ts';
import { CountWindowOperator } from './count-window-operator.ts';
import { SessionWindowOperator } from './session-window-operator.ts';
import { SliceWindowOperator } from './slice-window-operator.ts';
import type { WindowSpec } from './window-spec.ts';

export function createWindowOperator(spec: WindowSpec): Operator {
  const { window } = spec;
  switch (window.kind) {
    case 'tumble':
    case 'hop':
    case 'cumulate':
      return new SliceWindowOperator({ ...spec, window });
    case 'session':
      return new SessionWindowOperator({ ...spec, window });
    case 'count':
      return new CountWindowOperator({ ...spec, window });
  }
}
