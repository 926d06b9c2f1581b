/**
 * Drives any operator the ways a subtask may: one row at a time, in full batches, and with an output that is full every
 * other call; with batches that are overwritten as soon as they may be; going on from a snapshot in a new operator,
 * again and again; in one subtask, then three, then one. All ways must give the same rows.
 */
import { RowKind } from '../core/index.ts';
import type { Operator, Ports, RowSchema, Value } from '../core/index.ts';
import type { InputRow } from './harness-input.ts';
import { asText } from './harness-output.ts';
import type { OutputRow, RecordFailure } from './harness-output.ts';
import { subtaskOfRow } from './key-groups.ts';
import { OperatorHarness } from './operator-harness.ts';
import type { HarnessOptions, OperatorSnapshot } from './operator-harness.ts';

/** A row, event time that has come, or the clock (in ms since the epoch) that has gone on. */
export type InputEvent = InputRow | { readonly watermarkMs: number } | { readonly nowMs: number };

export interface OperatorResult {
  readonly rows: readonly OutputRow[];
  readonly failures: readonly RecordFailure[];
}

export interface DriveOptions {
  /** Rows per batch. */
  readonly batchSize: number;
  /** How many times `ready` is false after each batch that was emitted. */
  readonly pauses: number;
  /**
   * Whether the operator is replaced at times by a new one, restored from a snapshot: one that was read at once, or
   * one that was read while the operator already went on.
   */
  readonly restores?: 'none' | 'at-once' | 'while-going-on';
}

export interface OperatorCase {
  /** A new operator; one per drive, and one per restore. */
  readonly create: () => Operator;
  /** One for all inputs, or one per input. */
  readonly input: RowSchema | readonly RowSchema[];
  /** What happens, in order. */
  readonly rows: readonly InputEvent[];
  /** All but the clock; the real ones where left out. The clock starts at what theirs says. */
  readonly ports?: Ports;
  readonly stepId?: string;
  /** Where given, per input, the key columns: the operator is also driven in several subtasks. */
  readonly keys?: readonly (readonly number[])[];
  /**
   * Whether all ways must give the rows in one order, or only the same rows, or the same newest rows by the fields that
   * are given: then how many rows and failures come on the way may depend on how the rows came. Default `order`.
   */
  readonly compare?: Comparison;
}

export type Comparison = 'order' | 'rows' | { readonly newestBy: readonly number[] };

const DRIVES: readonly DriveOptions[] = [
  { batchSize: 1, pauses: 0 },
  { batchSize: 1, pauses: 1 },
  { batchSize: 7, pauses: 0 },
  { batchSize: 7, pauses: 2 },
  { batchSize: 1024, pauses: 0 },
  { batchSize: 1024, pauses: 1 },
];

/** For operators with state, too. */
const RESTORING_DRIVES: readonly DriveOptions[] = [
  { batchSize: 1, pauses: 0, restores: 'at-once' },
  { batchSize: 7, pauses: 1, restores: 'while-going-on' },
  { batchSize: 64, pauses: 0, restores: 'while-going-on' },
];

/** About how often a drive restores; more would take time by the square. */
const RESTORES = 12;

type Piece = { readonly rows: readonly InputRow[] } | { readonly watermarkMs: number } | { readonly nowMs: number };

/** Runs the operator from open() to close() over all events. */
export async function driveOperator(test: OperatorCase, options: DriveOptions): Promise<OperatorResult> {
  const { batchSize, pauses, restores = 'none' } = options;
  const { create, input, rows: events, ports, stepId } = test;
  const base: HarnessOptions = {
    create,
    input,
    batchSize,
    pauses,
    ...(ports === undefined ? {} : { ports }),
    ...(stepId === undefined ? {} : { stepId }),
  };
  const result = { rows: [] as OutputRow[], failures: [] as RecordFailure[] };
  const pieces = piecesOf(events, batchSize);
  const restoreEvery = restores === 'none' ? Infinity : Math.max(1, Math.floor(pieces.length / RESTORES));
  let harness = await OperatorHarness.open(base);
  try {
    let firstRow = 0;
    for (const [index, piece] of pieces.entries()) {
      if (index % restoreEvery === restoreEvery - 1) {
        const { nowMs } = harness;
        harness.flush();
        collect(harness, result);
        const snapshot = await takeSnapshot(harness, restores, piece);
        await harness.close();
        harness = await OperatorHarness.open({ ...base, nowMs, firstRow, restore: [snapshot] });
      }
      await apply(harness, piece);
      if ('rows' in piece) firstRow += piece.rows.length;
    }
    harness.finish();
    collect(harness, result);
  } finally {
    await harness.close();
  }
  return result;
}

/** Drives in all ways and returns the one result; throws where two differ. */
export async function driveOperatorAllWays(test: OperatorCase): Promise<OperatorResult> {
  const drives = (await hasState(test)) ? [...DRIVES, ...RESTORING_DRIVES] : DRIVES;
  const first = await driveOperator(test, { batchSize: 1, pauses: 0 });
  const { compare = 'order' } = test;
  for (const options of drives) {
    const result = await driveOperator(test, options);
    const { batchSize, pauses, restores = 'none' } = options;
    assertEqual(first, result, compare, `batches of ${batchSize} rows, ${pauses} pauses, restored: ${restores}`);
  }
  if (test.keys !== undefined) {
    const rescaled = await driveRescaled(test, test.keys);
    assertEqual(first, rescaled, compare === 'order' ? 'rows' : compare, 'one subtask, three, one');
  }
  return first;
}

/** Snapshots, and in one way reads the snapshot only while the operator goes on with the next piece. */
async function takeSnapshot(
  harness: OperatorHarness,
  restores: DriveOptions['restores'],
  next: Piece,
): Promise<OperatorSnapshot> {
  if (restores === 'at-once') return harness.snapshot();
  const pending = harness.beginSnapshot();
  pending.next();
  await apply(harness, next);
  return pending.take();
}

async function apply(harness: OperatorHarness, piece: Piece): Promise<void> {
  if ('rows' in piece) await harness.process(piece.rows);
  else if ('watermarkMs' in piece) harness.watermark(piece.watermarkMs);
  else harness.advanceTo(piece.nowMs);
}

function collect(harness: OperatorHarness, result: { rows: OutputRow[]; failures: RecordFailure[] }): void {
  result.rows.push(...harness.takeRows());
  result.failures.push(...harness.failures);
}

/** A third of the events in one subtask, a third in three, the rest in one. */
async function driveRescaled(test: OperatorCase, keys: readonly (readonly number[])[]): Promise<OperatorResult> {
  const { create, input, rows: events, ports, stepId = 'step' } = test;
  const result = { rows: [] as OutputRow[], failures: [] as RecordFailure[] };
  const third = Math.ceil(events.length / 3);
  let restore: readonly OperatorSnapshot[] = [];
  let nowMs = ports?.clock.nowMs() ?? 1_700_000_000_000;
  for (const [phase, parallelism] of [1, 3, 1].entries()) {
    const harnesses: OperatorHarness[] = [];
    try {
      for (let subtaskIndex = 0; subtaskIndex < parallelism; subtaskIndex++) {
        const base = { create, input, stepId, subtaskIndex, parallelism, nowMs, restore, batchSize: 7 };
        harnesses.push(await OperatorHarness.open(ports === undefined ? base : { ...base, ports }));
      }
      for (const piece of piecesOf(events.slice(phase * third, (phase + 1) * third), 64)) {
        if ('nowMs' in piece) nowMs = piece.nowMs;
        for (const [index, harness] of harnesses.entries()) {
          await apply(harness, 'rows' in piece ? rowsFor(index, parallelism, piece.rows, test, keys) : piece);
        }
      }
      if (phase < 2) restore = harnesses.map((harness) => harness.snapshot());
      else for (const harness of harnesses) harness.finish();
      for (const harness of harnesses) collect(harness, result);
    } finally {
      for (const harness of harnesses) await harness.close();
    }
  }
  return result;
}

/** What a hash exchange gives to one subtask. */
function rowsFor(
  index: number,
  parallelism: number,
  rows: readonly InputRow[],
  { input }: OperatorCase,
  keys: readonly (readonly number[])[],
): Piece {
  return {
    rows: rows.filter((row) => {
      const number = row.input ?? 0;
      const schema = 'fields' in input ? input : input[number];
      const columns = keys[number];
      if (schema === undefined || columns === undefined) throw new Error(`there is no input ${number}`);
      return subtaskOfRow(schema, columns, row.values, parallelism) === index;
    }),
  };
}

/** Runs of rows as batches. */
function piecesOf(events: readonly InputEvent[], batchSize: number): Piece[] {
  const pieces: Piece[] = [];
  let rows: InputRow[] = [];
  const cut = (): void => {
    if (rows.length > 0) pieces.push({ rows });
    rows = [];
  };
  for (const event of events) {
    if (!('values' in event)) {
      cut();
      pieces.push(event);
      continue;
    }
    if (rows.length === batchSize || (rows[0]?.input ?? 0) !== (event.input ?? 0)) cut();
    rows.push(event);
  }
  cut();
  return pieces;
}

async function hasState({ create, input, ports, stepId }: OperatorCase): Promise<boolean> {
  const given = { ...(ports === undefined ? {} : { ports }), ...(stepId === undefined ? {} : { stepId }) };
  const base = { create, input, ...given };
  const harness = await OperatorHarness.open(base);
  await harness.close();
  return harness.hasState;
}

function assertEqual(
  expected: OperatorResult,
  actual: OperatorResult,
  compare: Comparison,
  way: string,
): void {
  const [first, second] = [expected, actual].map((each) => textOf(each, compare));
  if (first !== second) throw new Error(`${way}: gave\n${second}\nbut single rows gave\n${first}`);
}

/** Origins are not compared where rows may have come by another way. */
function textOf({ rows, failures }: OperatorResult, compare: Comparison): string {
  if (typeof compare === 'object') return newestRows(rows, compare.newestBy).map(asText).sort().join('\n');
  if (compare === 'order') return [...rows, ...failures].map(asText).join('\n');
  const texts = rows.map(({ values, timestamp, rowKind }) => asText({ values, timestamp, rowKind }));
  return [...texts.sort(), ...failures.map(({ stepId, code }) => asText({ stepId, code })).sort()].join('\n');
}

/**
 * What is left of an upsert stream: the newest row per key. Throws where it contradicts itself: a row that is there is
 * inserted, or one that is not there changes or goes.
 */
export function newestRows(rows: readonly OutputRow[], key: readonly number[]): readonly (readonly Value[])[] {
  const newest = new Map<string, readonly Value[]>();
  for (const { values, rowKind } of rows) {
    const id = asText(key.map((index) => values[index]));
    if (newest.has(id) === (rowKind === RowKind.insert)) throw new Error(`a row of kind ${rowKind} comes for ${id}`);
    if (rowKind === RowKind.delete) newest.delete(id);
    else newest.set(id, values);
  }
  return [...newest.values()];
}
