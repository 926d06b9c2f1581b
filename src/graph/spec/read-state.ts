import type { StateSettings } from '../job/job-graph.ts';
import { stateOptions } from '../options.ts';
import type { MapEntry } from './document.ts';
import { asMap } from './map-reader.ts';
import { readOptions } from './option-block.ts';
import type { ProblemList } from './problem.ts';

/** `state: {backend, memory}`; null without it, and where something is wrong, which is then reported. */
export function readState(entry: MapEntry | undefined, problems: ProblemList): StateSettings | null {
  if (entry === undefined) return null;
  const map = asMap(entry.value, '`state`', 'a mapping {backend, memory}', problems);
  if (map === null) return null;
  const values = readOptions({ node: map, range: entry.keyRange }, stateOptions, problems);
  return values === null ? null : Object.freeze({ backend: values.backend, memoryBytes: values.memory });
}
