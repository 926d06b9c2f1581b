import type { Side } from '../../expr/index.ts';
import type { RowStream } from './logical-graph.ts';

/**
 * What is known of the rows that a step emits. Fields whose type could not be found (their own problem says why) are
 * `doubtful`: what is found wrong with expressions over them is not reported, so that one mistake is one problem.
 */
export interface StepStream {
  readonly stream: RowStream;
  readonly doubtful: ReadonlySet<string>;
  /** Where the fields come from several steps: how expressions call those. */
  readonly sides?: readonly Side[];
}

export const NOTHING_DOUBTFUL: ReadonlySet<string> = new Set();

/** Whether the text names one of the fields. May say yes to a name inside a literal: then a problem waits its turn. */
export function mentions(text: string, names: ReadonlySet<string>): boolean {
  for (const name of names) {
    for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
      if (!/\w/.test(text[at - 1] ?? '') && !/\w/.test(text[at + name.length] ?? '')) return true;
    }
  }
  return false;
}
