import { coreErrors } from '../../core/index.ts';
import type { CodeLoader, ColumnBatch, Operator, OperatorContext } from '../../core/index.ts';
import type { ProcessSpec } from './process-spec.ts';

export class ProcessOperator implements Operator {
  readonly #spec: ProcessSpec;
  readonly #loadCode: CodeLoader;

  constructor(spec: ProcessSpec, loadCode: CodeLoader) {
    this.#spec = spec;
    this.#loadCode = loadCode;
  }

  async open({ stepId }: OperatorContext): Promise<void> {
    await this.#loadCode(this.#spec.code);
    throw coreErrors.create('MR-INTERNAL', { message: `step ${stepId} cannot run yet` });
  }

  process({ rowCount }: ColumnBatch): number {
    return rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    // Nothing is held.
  }
}
