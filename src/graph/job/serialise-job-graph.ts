/**
 * A job graph as canonical JSON: keys in order, no white space, so that equal graphs are equal bytes and have equal
 * hashes. JSON has no infinities, no NaN and no negative zero; such numbers are `{"$number": "NaN"}`, and keys that
 * begin with `$` have another `$` in front.
 */
import { graphErrors } from '../errors.ts';
import { checkJobGraphShape } from './check-job-graph-shape.ts';
import type { JobGraph } from './job-graph.ts';

const JOB_GRAPH_VERSION: JobGraph['version'] = 1;
const NUMBER_KEY = '$number';

export function serialiseJobGraph(graph: JobGraph): string {
  return canonicalJson(graph);
}

/** Throws MR-JOB-GRAPH-VERSION or MR-JOB-GRAPH-INVALID. */
export function deserialiseJobGraph(text: string): JobGraph {
  let value: unknown;
  try {
    value = JSON.parse(text, revive);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw graphErrors.create('MR-JOB-GRAPH-INVALID', { path: 'the text', problem }, error);
  }
  if (typeof value !== 'object' || value === null || !('version' in value)) {
    throw graphErrors.create('MR-JOB-GRAPH-INVALID', { path: 'the graph', problem: 'has no version' });
  }
  if (value.version !== JOB_GRAPH_VERSION) {
    const given = String(value.version);
    throw graphErrors.create('MR-JOB-GRAPH-VERSION', { given, expected: JOB_GRAPH_VERSION });
  }
  return checkJobGraphShape(value);
}

/** Plain data as JSON with sorted keys; members that are undefined are left out, as JSON does. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return `{"${NUMBER_KEY}":"${Object.is(value, -0) ? '-0' : String(value)}"}`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key.startsWith('$') ? `$${key}` : key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** JSON.parse revives children before their parents, so every object is seen with its keys as they were written. */
function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  if (!keys.some((key) => key.startsWith('$'))) return value;
  if (keys.length === 1 && NUMBER_KEY in value) return Number(value[NUMBER_KEY]);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.replace(/^\$/, ''), member]));
}
