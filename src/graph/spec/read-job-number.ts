import { parseOptions } from '../../core/index.ts';
import { jobOptions } from '../options.ts';
import { entryOf, isEmpty } from './document.ts';
import type { MapNode } from './document.ts';
import { wrongShape } from './map-reader.ts';
import type { ProblemList } from './problem.ts';

/** A number of the job's own option table, of the job or of one step; null where it is not given or wrong. */
export function readJobNumber(map: MapNode, key: keyof typeof jobOptions, problems: ProblemList): number | null {
  const entry = entryOf(map, key);
  if (entry === undefined) return null;
  const expected = `a whole number from ${jobOptions[key].min} to ${jobOptions[key].max}`;
  if (entry.value.kind !== 'scalar' || isEmpty(entry.value)) {
    wrongShape(entry.value, `\`${key}\``, expected, problems);
    return null;
  }
  if (entry.value.text.isIncomplete) return null;
  const parsed = parseOptions({ [key]: jobOptions[key] }, { [key]: entry.value.value });
  const problem = parsed.problems[0];
  if (problem === undefined) return parsed.values[key] as number;
  problems.addAbout(entry.value.text, 'MR-JOB-BAD-VALUE', entry.value.range, problem.message, { expected });
  return null;
}
