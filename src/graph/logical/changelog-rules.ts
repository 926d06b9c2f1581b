/**
 * What each step makes of the changelog of its input. An upsert stream says "the newest row of this key is now …"; it
 * survives whatever treats all rows of one key alike and keeps the key. Everything else would have to take earlier
 * rows back (Flink turns such streams into retractions), which this version cannot, so it is refused.
 */
import { columnsOf } from '../../expr/index.ts';
import { rowSchema, types } from '../../core/index.ts';
import type { AggregateCall, ChangelogMode, DataType, Expression, Field, RowSchema } from '../../core/index.ts';
import type { JoinNode, WindowField, WindowSpec } from '../job/job-graph.ts';
import type { NamedExpression, RowStream } from './logical-graph.ts';

export type ChangelogResult =
  | { readonly stream: RowStream; readonly problem: null }
  | { readonly stream: null; readonly problem: string; readonly expected: string };

const accept = (stream: RowStream): ChangelogResult => ({ stream, problem: null });
const refuse = (problem: string, expected: string): ChangelogResult => ({ stream: null, problem, expected });

export function filterStream(input: RowStream, predicate: Expression): ChangelogResult {
  if (input.changelog === 'append') return accept(input);
  const used = columnsOf(predicate);
  const isByKey = input.uniqueKeys.some((key) => used.every((column) => key.includes(column)));
  if (isByKey) return accept(input);
  return refuse(
    'this filters running totals: a total that was let through and no longer passes would have to be taken back, ' +
      'which is not supported by this version yet',
    'a filter in front of the aggregation, or one over its key fields only',
  );
}

export function selectStream(input: RowStream, fields: readonly NamedExpression[]): ChangelogResult {
  const schema = rowSchema(fields.map(({ name, expression }) => ({ name, type: expression.type })));
  const uniqueKeys = input.uniqueKeys
    .map((key) => key.map((column) => fields.findIndex(({ expression }) => isColumn(expression, column))))
    .filter((key) => key.every((position) => position >= 0));
  if (input.changelog === 'append' || uniqueKeys.length > 0) return accept({ ...input, schema, uniqueKeys });
  return refuse(
    `this drops the key (${keyNames(input)}) of running totals, so that the newest row per key is no longer known`,
    'a select that keeps the key fields unchanged',
  );
}

function isColumn(expression: Expression, column: number): boolean {
  return expression.kind === 'column' && expression.index === column;
}

export function flatMapStream(
  input: RowStream,
  fields: readonly NamedExpression[],
  kept: readonly number[],
): ChangelogResult {
  const keptFields = kept.map((index) => input.schema.fields[index] as Field);
  const made = fields.map(({ name, expression: { type } }) => ({
    name,
    type: type.kind === 'array' ? type.element : type,
  }));
  const schema = rowSchema([...keptFields, ...made]);
  // Several rows come of one: nothing is unique any more.
  if (input.changelog === 'append') return accept({ ...input, schema, uniqueKeys: [] });
  return refuse(
    'this makes several rows of each running total, so that the newest row per key is no longer known',
    'a flatMap in front of the aggregation',
  );
}

export function aggregateStream(
  input: RowStream,
  keys: readonly number[],
  calls: readonly AggregateCall[],
): ChangelogResult {
  const keyFields = keys.map((index) => input.schema.fields[index] as Field);
  const schema = rowSchema([...keyFields, ...calls.map(({ name, type }) => ({ name, type }))]);
  if (input.changelog === 'append') {
    const uniqueKeys = [keys.map((_, position) => position)];
    return accept({ schema, changelog: 'upsert', uniqueKeys, hasEventTime: false });
  }
  return refuse(
    'this aggregates running totals: every earlier total would have to be taken back first, which is not supported ' +
      'by this version yet',
    'one aggregation per path from source to sink',
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
  if (input.changelog !== 'append') {
    return refuse(
      'this counts running totals in windows: every earlier total would have to be taken back first, which is not ' +
        'supported by this version yet',
      'a window in front of the aggregation, or in its place',
    );
  }
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
 * What leaves a join of streams that only add rows. Within bounds nothing is said before it is certain. Without, an
 * outer or an anti join says that a row has no partner, and takes that back when one comes.
 */
export function joinChangelog(type: JoinNode['type'], bounds: JoinNode['bounds']): ChangelogMode {
  return bounds === null && type !== 'inner' && type !== 'semi' ? 'retract' : 'append';
}

export function unionStream(inputs: readonly RowStream[]): ChangelogResult {
  const first = inputs[0] as RowStream;
  const hasEventTime = inputs.every((input) => input.hasEventTime);
  const isAppend = inputs.every((input) => input.changelog === 'append');
  if (isAppend) return accept({ ...first, uniqueKeys: [], hasEventTime });
  return refuse(
    'a union of running totals could hold two newest rows of one key',
    'a union in front of the aggregation',
  );
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
