import type { Column, DataType, SourceSpec } from '../../core/index.ts';
import { compileRowTest } from '../../expr/index.ts';
import type { RowTest } from '../../expr/index.ts';
import type { WantedFields } from './wanted-fields.ts';

/**
 * The pushed-down filters of a source, asked row by row: for sources that are not hot enough to have them inlined as
 * JSON has.
 */
export class RowFilter {
  readonly #tests: readonly { readonly stepId: string; readonly test: RowTest }[];
  /** The step of the filter that is being evaluated; null between them. */
  evaluating: string | null = null;

  constructor(spec: SourceSpec, wanted: WantedFields) {
    const placeOf = (index: number) => {
      const place = wanted.targetOf(index);
      return { place, type: wanted.targets[place]?.field.type as DataType };
    };
    this.#tests = spec.filters.map(({ stepId, predicate }) => ({ stepId, test: compileRowTest(predicate, placeOf) }));
  }

  /** Whether every filter is TRUE for the row of the target columns. Throws what a filter throws. */
  passes(columns: readonly Column[], row: number): boolean {
    for (const { stepId, test } of this.#tests) {
      this.evaluating = stepId;
      if (!test(columns, row)) {
        this.evaluating = null;
        return false;
      }
    }
    this.evaluating = null;
    return true;
  }
}
