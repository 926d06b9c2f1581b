import { entryOf } from './document.ts';
import type { MapEntry } from './document.ts';
import type { WatermarkBlock } from './job-spec.ts';
import { wrongShape } from './map-reader.ts';
import { blockOf, readOptions } from './option-block.ts';
import type { ProblemList } from './problem.ts';
import { watermarkOptions } from './step-options.ts';

/** `watermark: FIELD` or `watermark: {field, delay, idle, drift}`. */
export function readWatermark(entry: MapEntry | undefined, problems: ProblemList): WatermarkBlock | null {
  if (entry === undefined) return null;
  const block = blockOf(entry, 'field');
  const expected = 'the name of a field, or a mapping with `field`';
  if (block === null) wrongShape({ ...entry.value, range: entry.keyRange }, '`watermark`', expected, problems);
  const range = entry.keyRange;
  const values = block === null ? null : readOptions({ node: block, range }, watermarkOptions, problems);
  const field = block === null ? undefined : entryOf(block, 'field')?.value;
  if (values === null || field?.kind !== 'scalar') {
    return { field: null, delayMs: 0, idleMs: null, maxDriftMs: null };
  }
  return { field: field.text, delayMs: values.delay, idleMs: values.idle, maxDriftMs: values.drift };
}
