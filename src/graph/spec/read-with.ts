import { entryOf, isEmpty } from './document.ts';
import type { MapEntry, MapNode } from './document.ts';
import type { WithBlock } from './job-spec.ts';
import { asMap } from './map-reader.ts';
import type { ProblemList } from './problem.ts';

/** `with: {…}` beside a verb that names a connector. */
export function readWith(map: MapNode, verb: MapEntry, problems: ProblemList): WithBlock {
  const entry = entryOf(map, 'with');
  if (entry === undefined) return { node: null, range: verb.value.range };
  if (isEmpty(entry.value)) return { node: null, range: entry.keyRange };
  const node = asMap(entry.value, '`with`', 'a mapping of options', problems);
  // A `with` of the wrong form has its problem; as a damaged mapping it lacks nothing.
  const nothing: MapNode = { kind: 'map', range: entry.value.range, entries: [], damaged: true };
  return { node: node ?? nothing, range: entry.keyRange };
}
