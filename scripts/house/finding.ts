import type { SourceTree } from './source-tree.ts';

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly rule: string;
  /** What is wrong and what to do instead. */
  readonly message: string;
}

/** One check of the house: pure, so that its test can plant a violation. */
export interface HouseCheck {
  readonly rule: string;
  find(tree: SourceTree): Finding[];
}

export function formatFinding({ file, line, column, rule, message }: Finding): string {
  return `${file}:${String(line)}:${String(column)}: ${rule}: ${message}`;
}
