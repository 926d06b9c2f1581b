import { parseOptions } from '../../core/index.ts';
import type { CheckpointSettings, OptionValues } from '../../core/index.ts';
import { checkpointOptions } from '../options.ts';
import type { MapEntry } from './document.ts';
import { wrongShape } from './map-reader.ts';
import { blockOf, readOptions } from './option-block.ts';
import type { ProblemList } from './problem.ts';

const EXPECTED = 'an interval such as `10s`, or a mapping with `interval`';

/** `checkpoint: 10s` or `checkpoint: {interval: 10s, …}`; null without it. One that is wrong counts as one with defaults. */
export function readCheckpoint(entry: MapEntry | undefined, problems: ProblemList): CheckpointSettings | null {
  if (entry === undefined) return null;
  const block = blockOf(entry, 'interval');
  if (block === null) wrongShape({ ...entry.value, range: entry.keyRange }, '`checkpoint`', EXPECTED, problems);
  const values = block === null ? null : readOptions({ node: block, range: entry.keyRange }, checkpointOptions, problems);
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
