import type { OptionValues } from '../../core/index.ts';
import type { JoinNode } from '../job/job-graph.ts';
import { entryOf } from './document.ts';
import type { MapEntry, MapNode } from './document.ts';
import type { JoinStepSpec } from './job-spec.ts';
import { asMap, checkKeys, firstKeyRange, wrongShape } from './map-reader.ts';
import { blockOf, readOptions } from './option-block.ts';
import type { ProblemList } from './problem.ts';
import { readExpression, readNamed } from './read-fields.ts';
import type { StepContext, WithoutInputs } from './step-context.ts';
import { joinOptions, joinWindowSettings, withinOptions } from './step-options.ts';
import { readTumble } from './read-window.ts';

/** `join: {type, on, within or window or temporal, ttl, select}`. */
export function readJoin(context: StepContext): WithoutInputs<JoinStepSpec> | null {
  const { base, verb, problems } = context;
  const map = asMap(verb.value, '`join`', 'a mapping {type, on, …}', problems);
  if (map === null) return null;
  const values = readOptions({ node: map, range: verb.keyRange }, joinOptions, problems);
  const onEntry = entryOf(map, 'on');
  const on = onEntry === undefined || values === null ? null : readExpression(onEntry.value, '`on`', context);
  const select = entryOf(map, 'select');
  const fields = select === undefined ? null : readNamed(select.value, '`select`', 'an expression', context);
  if (values === null || on === null) return null;
  const given = chooseBounds(map, values, problems);
  const bounds = given === null ? null : readBounds(given, problems);
  if (given !== null && bounds === null) return null;
  checkTtl(map, given, problems);
  checkTemporal(map, values, problems);
  const { type, ttl: ttlMs } = values;
  const boundsRange = given?.keyRange ?? verb.keyRange;
  return { ...base, kind: 'join', type, on, bounds, boundsRange, ttlMs, select: fields };
}

const BOUNDS = ['within', 'window', 'temporal'] as const;

/** The one setting that says which rows may meet; null where all may. */
function chooseBounds(
  map: MapNode,
  { temporal }: OptionValues<typeof joinOptions>,
  problems: ProblemList,
): MapEntry | null {
  const present = BOUNDS.map((name) => entryOf(map, name)).filter((entry) => entry !== undefined);
  const wanted = present.filter(({ key }) => key !== 'temporal' || temporal);
  const [first, second] = wanted;
  if (second !== undefined) {
    const given = wanted.map(({ key }) => `\`${key}\``).join(' and ');
    problems.add('MR-JOB-JOIN', second.keyRange, { problem: `a join has one sort of bounds, not ${given}` }, {
      expected: `one of ${BOUNDS.join(', ')}`,
    });
  }
  return first ?? null;
}

function readBounds(entry: MapEntry, problems: ProblemList): JoinNode['bounds'] {
  switch (entry.key as (typeof BOUNDS)[number]) {
    case 'temporal':
      return { kind: 'temporal' };
    case 'within':
      return readWithin(entry, problems);
    case 'window': {
      const given = asMap(entry.value, '`window`', 'a mapping {tumble: SIZE}', problems);
      if (given === null) return null;
      const map = checkKeys(given, joinWindowSettings, '`window` of a join', problems);
      const tumble = entryOf(map, 'tumble');
      if (tumble === undefined && map.entries.every(({ key }) => !Object.hasOwn(joinWindowSettings, key))) {
        const problem = '`window` does not say how long it is';
        problems.add('MR-JOB-WINDOW', firstKeyRange(map), { problem }, { expected: '`tumble: SIZE`' });
      }
      const window = tumble === undefined ? null : readTumble(tumble, problems);
      return window === null ? null : { kind: 'window', sizeMs: window.sizeMs, offsetMs: window.offsetMs };
    }
  }
}

/** `within: 10m` is ten minutes to both sides. */
function readWithin(entry: MapEntry, problems: ProblemList): JoinNode['bounds'] {
  const expected = 'a duration, or a mapping {before, after}';
  const block = blockOf(entry, 'before');
  if (block === null || block.entries.length === 0) {
    wrongShape({ ...entry.value, range: entry.keyRange }, '`within`', expected, problems);
    return null;
  }
  const values = readOptions({ node: block, range: entry.keyRange }, withinOptions, problems);
  if (values === null) return null;
  const { before } = values;
  const after = entry.value.kind === 'map' ? values.after : before;
  return { kind: 'interval', beforeMs: before, afterMs: after };
}

function checkTtl(map: MapNode, bounds: MapEntry | null, problems: ProblemList): void {
  const ttl = entryOf(map, 'ttl');
  if (ttl === undefined || bounds === null) return;
  const problem = `\`ttl\` is for joins without bounds: with \`${bounds.key}\` rows are kept while they can be needed`;
  problems.add('MR-JOB-JOIN', ttl.keyRange, { problem }, { expected: 'no `ttl`' });
}

function checkTemporal(map: MapNode, values: OptionValues<typeof joinOptions>, problems: ProblemList): void {
  const { temporal, type } = values;
  if (!temporal || type === 'inner' || type === 'left') return;
  const range = entryOf(map, 'type')?.value.range ?? firstKeyRange(map);
  const problem = `a temporal join looks for a version for each left row: it cannot be \`${type}\``;
  problems.add('MR-JOB-JOIN', range, { problem }, { expected: 'inner or left' });
}
