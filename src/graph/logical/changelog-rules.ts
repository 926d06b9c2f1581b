/**
 * What each step makes of the changelog of its input. An upsert stream says "the newest row of this key is now …"; it
 * survives whatever treats all rows of one key alike and keeps the key. A retract stream takes rows back as they were,
 * which survives everything that works row by row, and aggregates. An upsert stream becomes a retract stream by
 * normalising it (as in Flink): the last row of each key is kept, in front of the step that needs to know it. Steps
 * that cannot take back what they made of a row refuse both.
 */
import { columnsOf } from '../../expr/index.ts';
import { rowSchema, types } from '../../core/index.ts';
import type { AggregateCall, ChangelogMode, DataType, Expression, Field, RowSchema } from '../../core/index.ts';
import type { DedupeNode, JoinNode, WindowField, WindowSpec } from '../job/job-graph.ts';
import type { NamedExpression, RowStream } from './logical-graph.ts';

export type ChangelogResult =
  | { readonly stream: RowStream; readonly problem: null }
  | { readonly stream: null; readonly problem: string; readonly expected: string };

const accept = (stream: RowStream): ChangelogResult => ({ stream, problem: null });
const refuse = (problem: string, expected: string): ChangelogResult => ({ stream: null, problem, expected });

/** The stream with every row taken back that is replaced. */
export function normalisedStream(input: RowStream): RowStream {
  return { ...input, changelog: 'retract' };
}

/** Whether a filter lets all rows of a key pass, or none: it goes by the fields of keys alone. */
export function passesWholeKeys({ changelog, uniqueKeys }: RowStream, predicate: Expression): boolean {
  const used = columnsOf(predicate);
  const goesBy = (key: readonly number[]) => used.every((column) => key.includes(column));
  if (changelog === 'append') return true;
  // A sink may take a retract stream by any of its keys.
  return changelog === 'upsert' ? uniqueKeys.some(goesBy) : uniqueKeys.length > 0 && uniqueKeys.every(goesBy);
}

/** Of an upsert stream only where whole keys pass. Else one of the two rows of an update may pass without the other. */
export function filterStream(input: RowStream, predicate: Expression): RowStream {
  if (input.changelog !== 'upsert') return input;
  const used = columnsOf(predicate);
  return { ...input, uniqueKeys: input.uniqueKeys.filter((key) => used.every((column) => key.includes(column))) };
}

/** Whether a select keeps a key by which rows replace earlier ones. */
export function keepsKey({ changelog, uniqueKeys }: RowStream, fields: readonly NamedExpression[]): boolean {
  const isKept = (column: number) => fields.some(({ expression }) => isColumn(expression, column));
  return changelog !== 'upsert' || uniqueKeys.some((key) => key.every(isKept));
}

/** Of an upsert stream only where a key is kept. */
export function selectStream(input: RowStream, fields: readonly NamedExpression[]): RowStream {
  const schema = rowSchema(fields.map(({ name, expression }) => ({ name, type: expression.type })));
  const uniqueKeys = input.uniqueKeys
    .map((key) => key.map((column) => fields.findIndex(({ expression }) => isColumn(expression, column))))
    .filter((key) => key.every((position) => position >= 0));
  return { ...input, schema, uniqueKeys };
}

function isColumn(expression: Expression, column: number): boolean {
  return expression.kind === 'column' && expression.index === column;
}

/** Not of an upsert stream. */
export function flatMapStream(
  input: RowStream,
  fields: readonly NamedExpression[],
  kept: readonly number[],
): RowStream {
  const keptFields = kept.map((index) => input.schema.fields[index] as Field);
  const made = fields.map(({ name, expression: { type } }) => ({
    name,
    type: type.kind === 'array' ? type.element : type,
  }));
  const schema = rowSchema([...keptFields, ...made]);
  // Several rows come of one: nothing is unique any more.
  return { ...input, schema, uniqueKeys: [] };
}

/** Not of an upsert stream. */
export function aggregateStream(
  input: RowStream,
  keys: readonly number[],
  calls: readonly AggregateCall[],
): RowStream {
  const keyFields = keys.map((index) => input.schema.fields[index] as Field);
  const schema = rowSchema([...keyFields, ...calls.map(({ name, type }) => ({ name, type }))]);
  return { schema, changelog: 'upsert', uniqueKeys: [keys.map((_, position) => position)], hasEventTime: false };
}

/** For steps that cannot take back what they made of a row. */
function refuseUpdates(input: RowStream, does: string): ChangelogResult {
  const rows = input.changelog === 'upsert' ? 'that replace earlier ones' : 'of which some are taken back again';
  return refuse(
    `this ${does} rows ${rows}: what came of an earlier row would have to be taken back, which is not supported by ` +
      'this version yet',
    'rows that are only added: this step in front of the one that replaces them',
  );
}

export interface WindowOutputs {
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  readonly fields: readonly WindowField[];
  readonly names: readonly string[];
  /** Null where it is wrong. */
  readonly window: WindowSpec | null;
  /** Whether a window emits more than one row, each replacing the one before. */
  readonly firesAgain: boolean;
}

export function windowStream(input: RowStream, outputs: WindowOutputs): ChangelogResult {
  const { keys, calls, fields, names, window, firesAgain } = outputs;
  if (input.changelog !== 'append') return refuseUpdates(input, 'aggregates');
  const typeOf = (field: WindowField): DataType => {
    if (field.kind === 'key') return input.schema.fields[keys[field.key] as number]?.type as DataType;
    return field.kind === 'call' ? (calls[field.call]?.type as DataType) : types.timestamp;
  };
  const schema = rowSchema(fields.map((field, index) => ({ name: names[index] as string, type: typeOf(field) })));
  const identity = window === null ? null : windowIdentity(window, fields);
  const uniqueKeys = identity === null ? [] : [[...keys.map((_, position) => position), identity]];
  const changelog = firesAgain && identity !== null ? 'upsert' : 'append';
  return accept({ schema, changelog, uniqueKeys, hasEventTime: window?.kind !== 'count' || input.hasEventTime });
}

/** The field that tells the windows of a key apart, by its position; null where there is none. */
export function windowIdentity(window: WindowSpec, fields: readonly WindowField[]): number | null {
  if (window.kind === 'count') return null;
  // Windows that grow begin together.
  const isIdentity = ({ kind }: WindowField) =>
    kind === 'window-end' || (kind === 'window-start' && window.kind !== 'cumulate');
  const position = fields.findIndex(isIdentity);
  return position < 0 ? null : position;
}

/**
 * What leaves a join. Within bounds nothing is said before it is certain. Without, an outer or an anti join says that a
 * row has no partner, and takes that back when one comes; and what an input takes back goes with all that it was in.
 */
export function joinChangelog(type: JoinNode['type'], bounds: JoinNode['bounds'], retracts: boolean): ChangelogMode {
  if (retracts) return 'retract';
  return bounds === null && type !== 'inner' && type !== 'semi' ? 'retract' : 'append';
}

export interface JoinParts {
  readonly type: JoinNode['type'];
  readonly bounds: JoinNode['bounds'];
  readonly leftKeys: readonly number[];
  readonly rightKeys: readonly number[];
  /** Of the fields of both sides. */
  readonly names: readonly string[];
}

/** Without bounds, not of upsert streams. */
export function joinStream(left: RowStream, right: RowStream, join: JoinParts): ChangelogResult {
  const { type, bounds, rightKeys, names } = join;
  const retracts = bounds === null && (left.changelog !== 'append' || right.changelog !== 'append');
  if (!retracts && left.changelog !== 'append') return refuseUpdates(left, 'joins, on the left,');
  if (!retracts && right.changelog !== 'append' && !isVersioned(right, join)) {
    const isTemporal = bounds?.kind === 'temporal' && right.changelog === 'upsert';
    if (!isTemporal) return refuseUpdates(right, 'joins, on the right,');
    const keys = rightKeys.map((index) => right.schema.fields[index]?.name ?? '').join(', ');
    const problem = `the versions on the right are of ${keyNames(right)}, and the join looks for them by ${keys}`;
    return refuse(problem, `\`on\` with exactly ${keyNames(right)} of the right side`);
  }
  const isOneSided = type === 'semi' || type === 'anti';
  const both = [...left.schema.fields, ...right.schema.fields].map((field, index) => ({
    name: names[index] as string,
    type: field.type,
  }));
  return accept({
    schema: rowSchema(isOneSided ? both.slice(0, left.schema.fields.length) : both),
    changelog: joinChangelog(type, bounds, retracts),
    uniqueKeys: joinedKeys(left, right, join),
    // Rows of a join without bounds may come at any time after their own.
    hasEventTime: bounds !== null,
  });
}

/** Whether each row of a stream is the new version of its key, by which the join looks for it. */
function isVersioned({ changelog, uniqueKeys }: RowStream, { bounds, rightKeys }: JoinParts): boolean {
  if (bounds?.kind !== 'temporal' || changelog !== 'upsert') return false;
  return uniqueKeys.some((key) => key.length === rightKeys.length && key.every((field) => rightKeys.includes(field)));
}

/**
 * A side's keys stay unique where each of its rows meets at most one of the other. Not those of rows that may move to
 * another subtask when they are replaced: the old pair might be taken back there after the new one has come here.
 */
function joinedKeys(left: RowStream, right: RowStream, join: JoinParts): RowStream['uniqueKeys'] {
  const { type, bounds, leftKeys, rightKeys } = join;
  const stays = ({ changelog }: RowStream, keys: readonly number[]) => (key: readonly number[]) =>
    changelog === 'append' || bounds !== null || keys.every((field) => key.includes(field));
  const lefts = left.uniqueKeys.filter(stays(left, leftKeys));
  const rights = right.uniqueKeys.filter(stays(right, rightKeys));
  if (type === 'semi' || type === 'anti') return lefts;
  const isWithin = (keys: readonly number[]) => (key: readonly number[]) => key.every((field) => keys.includes(field));
  const meetsOneRight = bounds?.kind === 'temporal' || right.uniqueKeys.some(isWithin(rightKeys));
  const meetsOneLeft = left.uniqueKeys.some(isWithin(leftKeys));
  const shifted = rights.map((key) => key.map((field) => field + left.schema.fields.length));
  return [
    ...(meetsOneRight && (type === 'inner' || type === 'left') ? lefts : []),
    ...(meetsOneLeft && (type === 'inner' || type === 'right') ? shifted : []),
  ];
}

/** `found` are the fields that are added. What would be found for a row that is taken back may have changed since. */
export function lookupStream(input: RowStream, found: readonly Field[]): ChangelogResult {
  if (input.changelog !== 'append') return refuseUpdates(input, 'looks up');
  // Several rows may be found for one.
  return accept({ ...input, schema: rowSchema([...input.schema.fields, ...found]), uniqueKeys: [] });
}

export function dedupeStream(input: RowStream, keys: readonly number[], keep: DedupeNode['keep']): ChangelogResult {
  if (input.changelog !== 'append') return refuseUpdates(input, 'drops repetitions of');
  return accept({ ...input, changelog: keep === 'first' ? 'append' : 'upsert', uniqueKeys: [keys] });
}

export interface TopNParts {
  readonly keys: readonly number[];
  readonly count: number;
  /** The name of the field that is added, or null. */
  readonly rank: string | null;
}

/** Not of an upsert stream. */
export function topNStream(input: RowStream, { keys, count, rank }: TopNParts): RowStream {
  const { fields } = input.schema;
  const schema = rank === null ? input.schema : rowSchema([...fields, { name: rank, type: types.long }]);
  // A place has one row, which the next one replaces. What else was unique is so no longer while rows change places.
  const place = rank === null ? [] : [[...keys, fields.length]];
  const uniqueKeys = count === 1 ? [keys, ...place] : place;
  return { schema, changelog: 'retract', uniqueKeys, hasEventTime: false };
}

/** Not of upsert streams: there could be two newest rows of one key. */
export function unionStream(inputs: readonly RowStream[]): RowStream {
  const first = inputs[0] as RowStream;
  const hasEventTime = inputs.every((input) => input.hasEventTime);
  const changelog = inputs.some((input) => input.changelog === 'retract') ? 'retract' : 'append';
  return { ...first, changelog, uniqueKeys: [], hasEventTime };
}

/** The first difference of two schemas in words, or null. Order counts: rows are positional. */
export function schemaDifference(a: RowSchema, b: RowSchema, formatType: (field: Field) => string): string | null {
  const length = Math.max(a.fields.length, b.fields.length);
  for (let i = 0; i < length; i++) {
    const left = a.fields[i];
    const right = b.fields[i];
    const leftText = left === undefined ? 'nothing' : `\`${left.name} ${formatType(left)}\``;
    const rightText = right === undefined ? 'nothing' : `\`${right.name} ${formatType(right)}\``;
    if (leftText !== rightText) return `field ${i + 1} is ${leftText} in one and ${rightText} in another`;
  }
  return null;
}

function keyNames(stream: RowStream): string {
  const key = stream.uniqueKeys[0] ?? [];
  return key.map((index) => stream.schema.fields[index]?.name ?? '').join(', ');
}
