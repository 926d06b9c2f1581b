import { nearestName } from '../../core/index.ts';
import type { JobFileLimits } from '../options.ts';
import { entryOf, isEmpty } from './document.ts';
import type { DocumentNode, MapEntry, MapNode } from './document.ts';
import type {
  AggregateStepSpec,
  DedupeStepSpec,
  ErrorsSpec,
  FilterStepSpec,
  FlatMapStepSpec,
  JoinStepSpec,
  ProcessStepSpec,
  LookupStepSpec,
  SelectStepSpec,
  SinkStepSpec,
  SourceStepSpec,
  SplitBranch,
  SplitStepSpec,
  StepSpec,
  TopNStepSpec,
  UnionStepSpec,
} from './job-spec.ts';
import { asMap, asText, checkKeys, firstKeyRange, requireKey, shorten, wrongShape } from './map-reader.ts';
import type { PlacedText } from './placed-text.ts';
import type { ProblemList } from './problem.ts';
import { readExpression, readFieldNames, readNamed } from './read-fields.ts';
import { readDedupe } from './read-dedupe.ts';
import { readJobNumber } from './read-job-number.ts';
import { readJoin } from './read-join.ts';
import { readLookup } from './read-lookup.ts';
import { readProcess } from './read-process.ts';
import { readTopN } from './read-top-n.ts';
import { readWatermark } from './read-watermark.ts';
import { readTtl } from './read-ttl.ts';
import { readWindow } from './read-window.ts';
import { readWith } from './read-with.ts';
import { isBranchName, STEP_ID } from './step-names.ts';
import type { StepContext, WithoutInputs } from './step-context.ts';
import { commonSettings, supportedVerbs, verbNames, verbs } from './verbs.ts';
import type { SettingRow, Verb } from './verbs.ts';

/** A step whose `from` is not yet compared with the ids of the others. */
export interface UnresolvedStep {
  readonly step: WithoutInputs<StepSpec>;
  /** Null where it is left out: the step above. */
  readonly from: readonly PlacedText[] | null;
  /** Whether `id` was given and is well-formed. */
  readonly hasId: boolean;
  readonly damaged: boolean;
}

type Readable =
  | SourceStepSpec
  | FilterStepSpec
  | SelectStepSpec
  | FlatMapStepSpec
  | AggregateStepSpec
  | JoinStepSpec
  | DedupeStepSpec
  | TopNStepSpec
  | ProcessStepSpec
  | LookupStepSpec
  | UnionStepSpec
  | SplitStepSpec
  | SinkStepSpec;
type VerbReader = (context: StepContext) => WithoutInputs<Readable> | null;

const readers: Readonly<Partial<Record<Verb, VerbReader>>> = {
  source: readSource,
  filter: readFilter,
  select: readSelect,
  flatMap: readFlatMap,
  aggregate: readAggregate,
  join: readJoin,
  dedupe: readDedupe,
  topN: readTopN,
  process: readProcess,
  lookup: readLookup,
  union: (context) => ({ ...context.base, kind: 'union' }),
  split: readSplit,
  sink: readSink,
};

/** Verbs whose rows have the fields of their input, whatever else they say. */
const KEEP_FIELDS: ReadonlySet<string> = new Set<Verb>(['filter', 'dedupe']);

export function readStep(given: MapNode, index: number, limits: JobFileLimits, problems: ProblemList): UnresolvedStep {
  const givenId = entryOf(given, 'id');
  const where = givenId?.value.kind === 'scalar' ? `step \`${shorten(givenId.value.text.text)}\`` : `step ${index + 1}`;
  const present = verbNames.filter((verb) => entryOf(given, verb) !== undefined);
  const verbName = present[0];
  const known = verbName === undefined ? allSettings() : settingsOf(verbName, present);
  const map = checkKeys(given, known, where, problems);
  const id = readId(map, where, limits, problems);
  const verb = chooseVerb(map, present, where, problems);
  const base = {
    id: id ?? ` step ${index + 1}`,
    idRange: entryOf(map, 'id')?.value.range ?? firstKeyRange(map),
    verbRange: verb?.keyRange ?? firstKeyRange(map),
    parallelism: readJobNumber(map, 'parallelism', problems),
  };
  const read = verb === null ? undefined : readers[verb.key as Verb];
  const context = verb === null ? null : { map, verb, where, base, limits, problems };
  const step = read === undefined || context === null ? null : read(context);
  return {
    step: step ?? { ...base, kind: 'broken', keepsFields: KEEP_FIELDS.has(verb?.key ?? '') },
    from: readFrom(map, verb, where, problems),
    hasId: id !== null,
    damaged: map.damaged,
  };
}

/** The settings that fit the verb, and the verbs that are there too much: those have a problem of their own. */
function settingsOf(verb: Verb, present: readonly Verb[]): Readonly<Record<string, SettingRow>> {
  const rows: Record<string, SettingRow> = { ...commonSettings };
  for (const name of present) {
    rows[name] = verbs[name];
    if (name !== verb) Object.assign(rows, verbs[name].settings);
  }
  return { ...rows, ...verbs[verb].settings };
}

/** Without a verb any setting of any verb might be right, and the verb may be misspelt. */
function allSettings(): Readonly<Record<string, SettingRow>> {
  const rows: Record<string, SettingRow> = { ...commonSettings };
  for (const name of verbNames) Object.assign(rows, verbs[name].settings);
  return { ...rows, ...verbs };
}

function chooseVerb(
  map: MapNode,
  present: readonly Verb[],
  where: string,
  problems: ProblemList,
): MapEntry | null {
  const extra = present[1];
  if (extra !== undefined) {
    const range = entryOf(map, extra)?.keyRange ?? map.range;
    problems.add('MR-JOB-VERB', range, { where, given: present.map((verb) => `\`${verb}\``).join(' and ') }, {
      expected: 'a step of its own for each',
    });
  }
  // checkKeys has put a misspelt verb under its right name.
  const entry = map.entries.find(({ key }) => (verbNames as readonly string[]).includes(key)) ?? null;
  if (entry === null && !map.damaged && !map.entries.some(({ key }) => !Object.hasOwn(allSettings(), key))) {
    problems.add('MR-JOB-VERB', firstKeyRange(map), { where, given: 'none' }, {
      expected: `one of ${supportedVerbs.join(', ')}`,
    });
  }
  return entry;
}

function readId(map: MapNode, where: string, limits: JobFileLimits, problems: ProblemList): string | null {
  const entry = entryOf(map, 'id');
  requireKey(map, entry, 'id', where, problems);
  const text = entry === undefined ? null : asText(entry.value, `the id of ${where}`, 'a name', problems);
  if (text === null) return null;
  const limit = limits['job-file.max-name-length'];
  if (text.text.length > limit) {
    problems.add('MR-JOB-LIMIT', text.range, { what: 'the length of the id', given: text.text.length, limit });
    return null;
  }
  if (STEP_ID.test(text.text)) return text.text;
  const problem = 'it has letters, digits, `_` and `-`, and begins with a letter or `_`';
  problems.add('MR-JOB-BAD-NAME', text.range, { what: 'the id', name: text.hideVariables(text.text), problem }, {
    expected: 'an id such as large-orders',
    suggestion: text.isInterpolated ? null : asId(text.text),
  });
  return null;
}

/** The nearest text that could be an id, or null. */
function asId(text: string): string | null {
  const id = text.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^[^A-Za-z_]+/, '');
  return id === '' ? null : id;
}

/** `from: a`, `from: [a, b]`, or for a union `union: [a, b]`. */
function readFrom(
  map: MapNode,
  verb: MapEntry | null,
  where: string,
  problems: ProblemList,
): readonly PlacedText[] | null {
  const from = entryOf(map, 'from');
  const isUnion = verb?.key === 'union';
  if (isUnion && !isEmpty(verb.value) && !(verb.value.kind === 'scalar' && verb.value.value === true)) {
    if (from !== undefined) {
      problems.add('MR-JOB-FROM', from.keyRange, { problem: `${where} names its inputs twice` }, {
        expected: '`union: [a, b]`, or `union: true` with `from: [a, b]`',
      });
    }
    return stepNames(verb.value, '`union`', problems);
  }
  return from === undefined ? null : stepNames(from.value, '`from`', problems);
}

function stepNames(node: DocumentNode, what: string, problems: ProblemList): readonly PlacedText[] {
  const items = node.kind === 'list' ? node.items : [node];
  if (items.length === 0) wrongShape(node, what, 'the id of a step, or a list of them', problems);
  return items
    .map((item) => asText(item, what, 'the id of a step, or a list of them', problems))
    .filter((text) => text !== null);
}

function readSource(context: StepContext): WithoutInputs<SourceStepSpec> | null {
  const { map, verb, where, base, problems } = context;
  const connector = asText(verb.value, '`source`', 'the name of a connector', problems);
  const schema = entryOf(map, 'schema');
  const metadata = entryOf(map, 'metadata');
  const fields = schema === undefined ? null : readNamed(schema.value, '`schema`', 'a type', context);
  if (connector === null) return null;
  return {
    ...base,
    kind: 'source',
    connector,
    with: readWith(map, verb, problems),
    schema: fields,
    schemaRange: schema?.keyRange ?? verb.keyRange,
    metadata: metadata === undefined ? [] : readNamed(metadata.value, '`metadata`', "a metadata's name", context),
    errors: readErrors(entryOf(map, 'errors'), where, problems),
    watermark: readWatermark(entryOf(map, 'watermark'), problems),
  };
}

function readSink({ map, verb, base, problems }: StepContext): WithoutInputs<SinkStepSpec> | null {
  const connector = asText(verb.value, '`sink`', 'the name of a connector', problems);
  if (connector === null) return null;
  return { ...base, kind: 'sink', connector, with: readWith(map, verb, problems) };
}

const ERROR_WORDS = ['fail', 'skip'];
const ERRORS_EXPECTED = '`fail`, `skip` or `{to: TARGET}`';
const ERROR_SETTINGS = {
  to: {
    doc: 'where records that cannot be processed go, such as a topic',
    aliases: ['topic', 'target', 'dlq', 'errors.deadletterqueue.topic.name'],
    supported: true,
  },
};

function readErrors(entry: MapEntry | undefined, where: string, problems: ProblemList): ErrorsSpec {
  if (entry === undefined) return { kind: 'fail' };
  const { value } = entry;
  if (value.kind === 'map') {
    const map = checkKeys(value, ERROR_SETTINGS, `\`errors\` of ${where}`, problems);
    const to = entryOf(map, 'to');
    if (to === undefined) {
      if (map.entries.length === 0) requireKey(map, to, 'to', '`errors`', problems);
      return { kind: 'fail' };
    }
    const target = asText(to.value, '`to`', "the target's name", problems);
    return target === null ? { kind: 'fail' } : { kind: 'dead-letter', target };
  }
  const text = asText(value, '`errors`', ERRORS_EXPECTED, problems);
  if (text === null) return { kind: 'fail' };
  if (text.text === 'skip' || text.text === 'fail') return { kind: text.text };
  const given = text.hideVariables(shorten(text.text));
  problems.add('MR-JOB-BAD-VALUE', text.range, { what: '`errors`', problem: `cannot be \`${given}\`` }, {
    expected: ERRORS_EXPECTED,
    suggestion: nearestName(text.text, ERROR_WORDS),
  });
  return { kind: 'fail' };
}

function readFilter(context: StepContext): WithoutInputs<FilterStepSpec> | null {
  const predicate = readExpression(context.verb.value, '`filter`', context);
  return predicate === null ? null : { ...context.base, kind: 'filter', predicate };
}

function readSelect(context: StepContext): WithoutInputs<SelectStepSpec> | null {
  const fields = readNamed(context.verb.value, '`select`', 'an expression', context);
  return fields.length === 0 ? null : { ...context.base, kind: 'select', fields };
}

function readFlatMap(context: StepContext): WithoutInputs<FlatMapStepSpec> | null {
  const fields = readNamed(context.verb.value, '`flatMap`', 'an expression', context);
  return fields.length === 0 ? null : { ...context.base, kind: 'flat-map', fields };
}

function readAggregate(context: StepContext): WithoutInputs<AggregateStepSpec> | null {
  const { map, problems } = context;
  const key = entryOf(map, 'key');
  const keys = key === undefined ? [] : readFieldNames(key.value, problems);
  const calls = readNamed(context.verb.value, '`aggregate`', 'an aggregate such as COUNT(*)', context);
  const window = readWindow(entryOf(map, 'window'), problems);
  const ttlMs = readTtl(entryOf(map, 'ttl'), window !== null, problems);
  if (calls.length === 0) return null;
  return { ...context.base, kind: 'aggregate', keys, calls, window, ttlMs };
}

function readSplit(context: StepContext): WithoutInputs<SplitStepSpec> | null {
  const { verb, problems } = context;
  const map = asMap(verb.value, '`split`', 'a mapping {STEP: expression, …, else: STEP}', problems);
  if (map === null) return null;
  const branches: SplitBranch[] = [];
  let otherwise: SplitBranch | null = null;
  for (const { key, keyRange, value } of map.entries) {
    if (key === 'else') {
      const name = asText(value, '`else`', 'the id of a step', problems);
      if (name !== null && isBranchName(name.text, name.range, problems)) {
        otherwise = { name: name.text, nameRange: name.range, condition: null };
      }
      continue;
    }
    const condition = readExpression(value, `\`${shorten(key)}\``, context);
    if (isBranchName(key, keyRange, problems) && condition !== null) {
      branches.push({ name: key, nameRange: keyRange, condition });
    }
  }
  if (branches.length === 0) {
    if (map.entries.every(({ key }) => key === 'else')) {
      wrongShape(map, '`split`', 'a mapping with at least one {STEP: expression}', problems);
    }
    return null;
  }
  return { ...context.base, kind: 'split', branches: otherwise === null ? branches : [...branches, otherwise] };
}
