import { coreErrors } from '../../core/index.ts';
import type { Operator } from '../../core/index.ts';
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
    case 'count':
      throw coreErrors.create('MR-INTERNAL', { message: `step ${spec.stepId}: no operator for ${window.kind}` });
  }
}
