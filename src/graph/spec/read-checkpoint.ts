import { parseOptions } from '../../core/index.ts';
import type { CheckpointSettings, OptionValues } from '../../core/index.ts';
import { checkpointOptions } from '../options.ts';
import type { MapEntry } from './document.ts';
import { wrongShape } from './map-reader.ts';
import { blockOf, readOptions } from './option-block.ts';
import type { ProblemList } from './problem.ts';

const EXPECTED = 'an interval such as `10s`, a mapping with `interval`, or `none`';

/**
 * `checkpoint: 10s` or `checkpoint: {interval: 10s, …}`; null without it, and for `none`, which a variable may say.
 * What is wrong counts as there, with defaults.
 */
export function readCheckpoint(entry: MapEntry | undefined, problems: ProblemList): CheckpointSettings | null {
  if (entry === undefined || (entry.value.kind === 'scalar' && entry.value.text.text === 'none')) return null;
  const block = blockOf(entry, 'interval');
  if (block === null) wrongShape({ ...entry.value, range: entry.keyRange }, '`checkpoint`', EXPECTED, problems);
  const range = entry.keyRange;
  const values = block === null ? null : readOptions({ node: block, range }, checkpointOptions, problems);
  return settings(values ?? parseOptions(checkpointOptions, { interval: '10s' }).values);
}

function settings(values: OptionValues<typeof checkpointOptions>): CheckpointSettings {
  return Object.freeze({
    intervalMs: values.interval,
    mode: values.mode,
    timeoutMs: values.timeout,
    minPauseMs: values.minPause,
    tolerableFailures: values.tolerableFailures,
    retained: values.retained,
  });
}
