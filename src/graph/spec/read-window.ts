import type { WindowSpec } from '../job/job-graph.ts';
import { entryOf } from './document.ts';
import type { MapEntry, MapNode } from './document.ts';
import type { SplitBranch, WindowBlock } from './job-spec.ts';
import { asMap, asText, checkKeys, firstKeyRange, wrongShape } from './map-reader.ts';
import { blockOf, readOptions } from './option-block.ts';
import type { ProblemList } from './problem.ts';
import { isBranchName } from './step-names.ts';
import type { TextRange } from './source-text.ts';
import { windowKinds, windowOptions, windowSettings } from './step-options.ts';
import type { WindowKind } from './step-options.ts';

const KINDS = Object.keys(windowKinds) as readonly WindowKind[];
const EXPECTED = 'a mapping such as {tumble: 1m}';
/** What a row of a hop window costs grows with it, and so does what a window that fires has to put together. */
const MOST_SLICES = 10_000;

/** `window: {KIND: …, lateness, early, late}` of an aggregate. */
export function readWindow(entry: MapEntry | undefined, problems: ProblemList): WindowBlock | null {
  if (entry === undefined) return null;
  const range = entry.keyRange;
  const nothing = { spec: null, latenessMs: 0, earlyMs: null, late: null, range };
  const value = entry.value.kind === 'map' ? entry.value : { ...entry.value, range };
  const given = asMap(value, '`window`', EXPECTED, problems);
  if (given === null) return nothing;
  const map = checkKeys(given, windowSettings, '`window`', problems);
  const kind = chooseKind(map, problems);
  const spec = kind === null ? null : readKind(kind, problems);
  const rest = map.entries.filter(({ key }) => Object.hasOwn(windowOptions, key));
  const values = readOptions({ node: { ...map, entries: rest }, range }, windowOptions, problems);
  const lateEntry = entryOf(map, 'late');
  const late = lateEntry === undefined ? null : readLate(lateEntry, problems);
  if (spec === null || values === null) return { ...nothing, spec, late };
  checkFiring(spec, lateEntry === undefined ? rest : [...rest, lateEntry], problems);
  return { spec, latenessMs: values.lateness, earlyMs: values.early, late, range };
}

function readLate({ value }: MapEntry, problems: ProblemList): SplitBranch | null {
  const name = asText(value, '`late`', 'the id of a step', problems);
  if (name === null || !isBranchName(name.text, name.range, problems)) return null;
  return { name: name.text, nameRange: name.range, condition: null };
}

function chooseKind(map: MapNode, problems: ProblemList): MapEntry | null {
  const present = KINDS.map((kind) => entryOf(map, kind)).filter((entry) => entry !== undefined);
  const isClear = !map.damaged && map.entries.every(({ key }) => Object.hasOwn(windowSettings, key));
  const [first, second] = present;
  if (second !== undefined) {
    const given = present.map(({ key }) => `\`${key}\``).join(' and ');
    problems.add('MR-JOB-WINDOW', second.keyRange, { problem: `a window is of one kind, not ${given}` }, {
      expected: 'a step of its own for each',
    });
  } else if (first === undefined && isClear) {
    problems.add('MR-JOB-WINDOW', firstKeyRange(map), { problem: '`window` does not say of what kind it is' }, {
      expected: `one of ${KINDS.join(', ')}`,
    });
  }
  return first ?? null;
}

function readKind(entry: MapEntry, problems: ProblemList): WindowSpec | null {
  const kind = entry.key as WindowKind;
  const { only, options } = windowKinds[kind];
  const block = only === null && entry.value.kind !== 'map' ? null : blockOf(entry, only ?? '');
  if (block === null) {
    const names = Object.keys(options).join(', ');
    wrongShape({ ...entry.value, range: entry.keyRange }, `\`${kind}\``, `a mapping {${names}}`, problems);
    return null;
  }
  const read = { block, range: entry.keyRange, problems };
  switch (kind) {
    case 'tumble':
      return readTumble(entry, problems);
    case 'hop':
      return readHop(read);
    case 'cumulate':
      return readCumulate(read);
    case 'session': {
      const values = optionsOf(read, windowKinds.session.options);
      return values === null ? null : { kind, gapMs: values.gap };
    }
    case 'count': {
      const values = optionsOf(read, windowKinds.count.options);
      return values === null ? null : { kind, size: values.size };
    }
  }
}

interface KindReader {
  readonly block: MapNode;
  readonly range: TextRange;
  readonly problems: ProblemList;
}

function optionsOf<Table extends (typeof windowKinds)[WindowKind]['options']>(
  { block, range, problems }: KindReader,
  table: Table,
) {
  return readOptions({ node: block, range }, table, problems);
}

/** `tumble: SIZE` or `tumble: {size, offset}`. */
export function readTumble(
  entry: MapEntry,
  problems: ProblemList,
): Extract<WindowSpec, { readonly kind: 'tumble' }> | null {
  const block = blockOf(entry, 'size');
  if (block === null) {
    wrongShape({ ...entry.value, range: entry.keyRange }, '`tumble`', 'a duration, or {size, offset}', problems);
    return null;
  }
  const reader = { block, range: entry.keyRange, problems };
  const values = optionsOf(reader, windowKinds.tumble.options);
  if (values === null || !isBelow(reader, 'offset', values.offset, 'size', values.size)) return null;
  return { kind: 'tumble', sizeMs: values.size, offsetMs: values.offset };
}

function readHop(reader: KindReader): WindowSpec | null {
  const values = optionsOf(reader, windowKinds.hop.options);
  if (values === null || !isMultiple(reader, 'size', values.size, 'slide', values.slide)) return null;
  if (!isBelow(reader, 'offset', values.offset, 'slide', values.slide)) return null;
  return { kind: 'hop', sizeMs: values.size, slideMs: values.slide, offsetMs: values.offset };
}

function readCumulate(reader: KindReader): WindowSpec | null {
  const values = optionsOf(reader, windowKinds.cumulate.options);
  if (values === null || !isMultiple(reader, 'max', values.max, 'step', values.step)) return null;
  if (!isBelow(reader, 'offset', values.offset, 'max', values.max)) return null;
  return { kind: 'cumulate', stepMs: values.step, maxMs: values.max, offsetMs: values.offset };
}

function isMultiple(reader: KindReader, name: string, value: number, ofName: string, of: number): boolean {
  const count = value / of;
  if (Number.isInteger(count) && count <= MOST_SLICES) return true;
  const rule = Number.isInteger(count) ? `at most ${MOST_SLICES} times` : 'a multiple of';
  reportWindow(reader, name, `\`${name}\` (${value}ms) must be ${rule} \`${ofName}\` (${of}ms)`);
  return false;
}

function isBelow(reader: KindReader, name: string, value: number, limitName: string, limit: number): boolean {
  if (value < limit) return true;
  reportWindow(reader, name, `\`${name}\` (${value}ms) must be less than \`${limitName}\` (${limit}ms)`);
  return false;
}

function reportWindow({ block, range, problems }: KindReader, name: string, problem: string): void {
  problems.add('MR-JOB-WINDOW', entryOf(block, name)?.value.range ?? range, { problem });
}

/** Windows that end with a row never fire early or late; sessions have no end before it has come. */
function checkFiring(spec: WindowSpec, given: readonly MapEntry[], problems: ProblemList): void {
  for (const { key, keyRange } of given) {
    if (spec.kind === 'session' && key === 'early') {
      problems.add('MR-JOB-UNSUPPORTED', keyRange, { what: '`early` of session windows' }, { expected: 'no `early`' });
    } else if (spec.kind === 'count') {
      const problem = `a window of so many rows fires with the last of them: there is no \`${key}\``;
      problems.add('MR-JOB-WINDOW', keyRange, { problem }, { expected: `no \`${key}\`` });
    }
  }
}
