import { parseOptions } from '../../core/index.ts';
import type { CheckpointPlace, CheckpointSettings, OptionValues, S3Access } from '../../core/index.ts';
import { checkpointOptions, s3Options } from '../options.ts';
import { entryOf, isEmpty } from './document.ts';
import type { MapEntry, MapNode } from './document.ts';
import { wrongShape } from './map-reader.ts';
import { blockOf, readOptions, reportOption } from './option-block.ts';
import type { ProblemList } from './problem.ts';

const EXPECTED = 'an interval such as `10s`, a mapping with `interval`, or `none`';
const S3_EXPECTED = 'a mapping with `endpoint`, `region` and other settings';

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
  const s3 = block === null ? {} : readS3(block, problems);
  return settings(values ?? parseOptions(checkpointOptions, { interval: '10s' }).values, s3);
}

function settings(values: OptionValues<typeof checkpointOptions>, s3: S3Access): CheckpointSettings {
  const place: CheckpointPlace = Object.freeze({ location: values.storage, s3 });
  const isPlaced = place.location !== null || Object.keys(s3).length > 0;
  return Object.freeze({
    intervalMs: values.interval,
    mode: values.mode,
    timeoutMs: values.timeout,
    minPauseMs: values.minPause,
    tolerableFailures: values.tolerableFailures,
    retained: values.retained,
    ...(Number.isFinite(values.alignmentTimeout) ? { alignmentTimeoutMs: values.alignmentTimeout } : {}),
    ...(isPlaced ? { storage: place } : {}),
  });
}

/** What is set, and nothing else: the rest is found where the storage is opened. */
function readS3(block: MapNode, problems: ProblemList): S3Access {
  const entry = entryOf(block, 's3');
  if (entry === undefined || isEmpty(entry.value)) return {};
  if (entry.value.kind !== 'map') {
    wrongShape({ ...entry.value, range: entry.keyRange }, '`s3`', S3_EXPECTED, problems);
    return {};
  }
  const given = { node: entry.value, range: entry.keyRange };
  const values = readOptions(given, s3Options, problems);
  if (values === null) return {};
  const { timeout: timeoutMs, ...others } = values;
  const [id, secret] = [values.accessKeyId !== null, values.secretAccessKey !== null];
  if (id !== secret) {
    const [there, missing] = id ? ['accessKeyId', 'secretAccessKey'] : ['secretAccessKey', 'accessKeyId'];
    const message = `\`${there}\` is nothing without \`${missing}\``;
    reportOption({ path: [there], what: 'invalid', message, suggestion: null }, given, s3Options, problems);
  }
  const set = Object.entries(others).filter(([, value]) => value !== null);
  return Object.freeze({ ...Object.fromEntries(set), timeoutMs });
}
