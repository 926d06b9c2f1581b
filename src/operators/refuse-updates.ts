import { RowKind } from '../core/index.ts';
import type { ColumnBatch } from '../core/index.ts';
import { operatorErrors } from './errors.ts';

/** Throws where a batch holds anything but inserts, for steps that read nothing else. */
export function refuseUpdates({ rowKinds, rowCount }: ColumnBatch, stepId: string): void {
  if (rowKinds === null) return;
  for (let row = 0; row < rowCount; row++) {
    if (rowKinds[row] !== RowKind.insert) throw operatorErrors.create('MR-OPERATOR-CHANGELOG', { step: stepId });
  }
}
