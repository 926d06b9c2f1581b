/** Judges what a topic holds by what belongs there, as multisets. */

export interface Verdict {
  readonly expected: number;
  readonly found: number;
  /** Rows that belong there and are not there, each as often as it is missing. */
  readonly lost: number;
  /** Rows that are there more often than they should be. */
  readonly duplicated: number;
  /** Rows that should not be there at all. */
  readonly unexpected: number;
  /** A few of each sort, for people. */
  readonly examples: readonly string[];
}

const EXAMPLES = 5;

export function judge(expected: Iterable<string>, found: Iterable<string>): Verdict {
  const wanted = countsOf(expected);
  const given = countsOf(found);
  const examples = new Map<string, string[]>();
  const add = (sort: string, row: string, times: number): number => {
    const list = examples.get(sort) ?? [];
    if (list.length < EXAMPLES) examples.set(sort, [...list, `${sort}${times === 1 ? '' : ` ${times} times`}: ${row}`]);
    return times;
  };
  let lost = 0;
  let duplicated = 0;
  let unexpected = 0;
  for (const [row, count] of wanted) {
    const there = given.get(row) ?? 0;
    if (there < count) lost += add('lost', row, count - there);
    else if (there > count) duplicated += add('duplicated', row, there - count);
  }
  for (const [row, count] of given) if (!wanted.has(row)) unexpected += add('unexpected', row, count);
  const sums = { expected: sumOf(wanted), found: sumOf(given) };
  return { ...sums, lost, duplicated, unexpected, examples: [...examples.values()].flat() };
}

export function isClean({ lost, duplicated, unexpected }: Verdict): boolean {
  return lost === 0 && duplicated === 0 && unexpected === 0;
}

function countsOf(rows: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
  return counts;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
