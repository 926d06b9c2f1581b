import { parseOptions } from '../../core/index.ts';
import type { ReactiveRescale } from '../job/job-graph.ts';
import { rescaleOptions } from '../options.ts';
import { entryOf } from './document.ts';
import type { MapEntry } from './document.ts';
import { asText, requireKey, shorten } from './map-reader.ts';
import { blockOf, readOptions } from './option-block.ts';
import type { ProblemList } from './problem.ts';

const MODE = 'reactive';

/** `rescale: reactive` or `rescale: {mode: reactive, …}`; null where the parallelism of the job stays as it is. */
export function readRescale(
  entry: MapEntry | undefined,
  { hasCheckpoints, maxParallelism }: { readonly hasCheckpoints: boolean; readonly maxParallelism: number },
  problems: ProblemList,
): ReactiveRescale | null {
  if (entry === undefined) return null;
  const badValue = (problem: string, expected: string): void => {
    problems.add('MR-JOB-BAD-VALUE', entry.keyRange, { what: '`rescale`', problem }, { expected, suggestion: null });
  };
  const block = blockOf(entry, 'mode');
  const mode = block === null ? entry : entryOf(block, 'mode');
  if (block !== null) requireKey(block, mode, 'mode', '`rescale`', problems);
  const text = mode === undefined ? null : asText(mode.value, '`rescale`', MODE, problems);
  if (text === null) return null;
  if (text.text !== MODE) {
    badValue(`has no mode \`${text.hideVariables(shorten(text.text))}\``, MODE);
    return null;
  }
  const values =
    block === null
      ? parseOptions(rescaleOptions, { mode: MODE }).values
      : readOptions({ node: block, range: entry.keyRange }, rescaleOptions, problems);
  if (values === null) return null;
  const { min, max, stabilization: stabilizationMs, interval: minIntervalMs, wait: resourceWaitMs } = values;
  const most = max ?? maxParallelism;
  if (!hasCheckpoints) badValue('takes checkpoints, through which the job goes', 'a setting such as `checkpoint: 10s`');
  if (most > maxParallelism) badValue('has a `max` above `maxParallelism`', `at most ${maxParallelism}`);
  else if (min > most) badValue('has a `min` above what it may have at most', `at most ${most}`);
  return { minParallelism: min, maxParallelism: most, stabilizationMs, minIntervalMs, resourceWaitMs };
}
