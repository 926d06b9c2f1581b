import { parseOptions } from '../../core/index.ts';
import type { MapEntry } from './document.ts';
import { wrongShape } from './map-reader.ts';
import type { ProblemList } from './problem.ts';
import { aggregateOptions } from './step-options.ts';

const EXPECTED = 'a duration such as `1h`';

/** `ttl: 1h` of running totals; null without it, and where it is wrong. */
export function readTtl(entry: MapEntry | undefined, hasWindow: boolean, problems: ProblemList): number | null {
  if (entry === undefined) return null;
  const { value, keyRange } = entry;
  if (hasWindow) {
    const problem = 'cannot stand beside `window`: windows are forgotten by themselves';
    problems.add('MR-JOB-BAD-VALUE', keyRange, { what: '`ttl`', problem });
    return null;
  }
  if (value.kind !== 'scalar') {
    wrongShape(value, '`ttl`', EXPECTED, problems);
    return null;
  }
  if (value.text.isIncomplete) return null;
  const { values, problems: found } = parseOptions(aggregateOptions, { ttl: value.value });
  const [problem] = found;
  if (problem === undefined) return values.ttl;
  problems.addAbout(value.text, 'MR-JOB-BAD-VALUE', value.range, problem.message, { expected: EXPECTED });
  return null;
}
