/**
 * Drives any operator the ways a subtask may: one row at a time, in full batches, and with an output that is full every
 * other call; with batches that are cleared as soon as they may be. All ways must give the same rows.
 *
 * As the chain's driver does, it goes back to an operator's input only when the receiver is done with what was emitted.
 */
import { nodePorts } from '../core/node-ports.ts';
import { ColumnBatch, describeOrigin, readValue, setNull, writeValue } from '../core/index.ts';
import type {
  Counter,
  Field,
  MillraceError,
  Operator,
  OperatorContext,
  Output,
  Ports,
  RecordErrorHandler,
  RowSchema,
  Value,
} from '../core/index.ts';

export interface InputRow {
  readonly values: readonly Value[];
  readonly timestamp?: number;
  readonly rowKind?: number;
  /** The position in the step's `from` list; 0 where left out. */
  readonly input?: number;
}

export interface OutputRow {
  readonly values: readonly Value[];
  readonly timestamp: number | null;
  readonly rowKind: number;
  /** The number of the input row that it came from, where the operator passes origins on. */
  readonly origin: string | null;
}

export interface RecordFailure {
  readonly stepId: string;
  readonly code: string;
  /** As OutputRow.origin. */
  readonly origin: string | null;
}

export interface OperatorResult {
  readonly rows: readonly OutputRow[];
  readonly failures: readonly RecordFailure[];
}

export interface DriveOptions {
  /** Rows per batch. */
  readonly batchSize: number;
  /** How many times `ready` is false after each batch that was emitted. */
  readonly pauses: number;
}

/** The ways in which driveOperatorAllWays drives. */
const DRIVES: readonly DriveOptions[] = [
  { batchSize: 1, pauses: 0 },
  { batchSize: 1, pauses: 1 },
  { batchSize: 7, pauses: 0 },
  { batchSize: 7, pauses: 2 },
  { batchSize: 1024, pauses: 0 },
  { batchSize: 1024, pauses: 1 },
];

const MAX_IDLE_CALLS = 1000;

/** Collects what an operator emits, copied at once, and is full for a while after each batch. */
class CollectingOutput implements Output {
  readonly rows: OutputRow[] = [];
  readonly #pauses: number;
  #pausesLeft = 0;
  #held: { readonly batch: ColumnBatch; readonly rows: readonly OutputRow[] } | null = null;

  constructor(pauses: number) {
    this.#pauses = pauses;
  }

  get ready(): boolean {
    return this.#held === null;
  }

  emit(batch: ColumnBatch): void {
    if (!this.ready) throw new Error('the operator emitted while its output was not ready');
    if (batch.rowCount === 0) return;
    if (batch.rowCount > batch.capacity) throw new Error('a batch holds more rows than its capacity');
    const rows = rowsOfBatch(batch);
    this.rows.push(...rows);
    this.#held = { batch, rows };
    this.#pausesLeft = this.#pauses;
  }

  /** The receiver gets on with its batch; true once it is done with it. */
  advance(): boolean {
    if (this.#held === null) return true;
    if (this.#pausesLeft-- > 0) return false;
    // A batch is borrowed until now: it must still hold what was emitted.
    const now = JSON.stringify(rowsOfBatch(this.#held.batch), jsonValue);
    if (now !== JSON.stringify(this.#held.rows, jsonValue))
      throw new Error('an emitted batch changed while it was borrowed');
    this.#held = null;
    return true;
  }
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}

function rowsOfBatch(batch: ColumnBatch): OutputRow[] {
  if (batch.columns.length !== batch.schema.fields.length) throw new Error('a batch has columns that its schema lacks');
  return Array.from({ length: batch.rowCount }, (_, row) => ({
    values: batch.columns.map((column, field) => readValue(column, (batch.schema.fields[field] as Field).type, row)),
    timestamp: batch.timestamps === null ? null : (batch.timestamps[row] as number),
    rowKind: batch.rowKinds === null ? 0 : (batch.rowKinds[row] as number),
    origin: describeOrigin(batch, row),
  }));
}

class CollectingErrors implements RecordErrorHandler {
  readonly failures: RecordFailure[] = [];

  handle(batch: ColumnBatch, row: number, stepId: string, error: unknown): void {
    const known = error as MillraceError;
    if (known.scope !== 'record') throw error;
    this.failures.push({ stepId, code: known.code, origin: describeOrigin(batch, row) });
  }
}

/** Input batches, filled anew from the same arrays each time, and cleared when they are done. */
class Inputs {
  readonly #batch: ColumnBatch;
  readonly #timestamps: Float64Array;
  readonly #rowKinds: Uint8Array;

  constructor(schema: RowSchema, batchSize: number) {
    this.#batch = new ColumnBatch(schema, batchSize);
    this.#timestamps = new Float64Array(batchSize);
    this.#rowKinds = new Uint8Array(batchSize);
  }

  fill(rows: readonly InputRow[], firstNumber: number): ColumnBatch {
    const batch = this.#batch;
    batch.reset();
    rows.forEach((row, index) => {
      batch.columns.forEach((column, field) => {
        writeValue(column, index, row.values[field] ?? null);
      });
      this.#timestamps[index] = row.timestamp ?? 0;
      this.#rowKinds[index] = row.rowKind ?? 0;
    });
    batch.rowCount = rows.length;
    if (rows.some((row) => row.timestamp !== undefined)) batch.timestamps = this.#timestamps;
    if (rows.some((row) => row.rowKind !== undefined)) batch.rowKinds = this.#rowKinds;
    batch.origin = { describe: (row) => `row ${firstNumber + row}` };
    return batch;
  }

  /** Whoever still reads the batch reads rubbish from now on. */
  spoil(): void {
    for (const column of this.#batch.ownColumns) {
      if (column.kind === 'bytes') {
        column.arena.fill(0x2a);
        column.starts.fill(0);
        column.ends.fill(0);
      } else if (column.kind === 'object') column.values.fill('spoilt');
      else column.values.fill(-77);
      setNull(column, 0);
    }
    this.#timestamps.fill(-77);
    this.#rowKinds.fill(3);
  }
}

function contextOf(stepId: string, ports: Ports, output: Output, errors: RecordErrorHandler): OperatorContext {
  const counters = new Map<string, Counter>();
  return {
    jobName: 'harness',
    stepId,
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    ports,
    output,
    errors,
    counter(name) {
      const counter = counters.get(name) ?? { value: 0 };
      counters.set(name, counter);
      return counter;
    },
  };
}

export interface OperatorCase {
  /** A new operator; one per drive. */
  readonly create: () => Operator;
  readonly input: RowSchema;
  readonly rows: readonly InputRow[];
  /** The real ones where left out. */
  readonly ports?: Ports;
  readonly stepId?: string;
}

/** Runs the operator from open() to close() over all rows. */
export async function driveOperator(test: OperatorCase, options: DriveOptions): Promise<OperatorResult> {
  const output = new CollectingOutput(options.pauses);
  const errors = new CollectingErrors();
  const operator = test.create();
  await operator.open(contextOf(test.stepId ?? 'step', test.ports ?? nodePorts, output, errors));
  try {
    const inputs = new Inputs(test.input, options.batchSize);
    for (let first = 0; first < test.rows.length;) {
      const rows = sameInput(test.rows.slice(first, first + options.batchSize));
      await processBatch(operator, inputs.fill(rows, first), rows[0]?.input ?? 0, output);
      inputs.spoil();
      first += rows.length;
    }
    resume(() => operator.flush?.() ?? true, output);
    resume(() => operator.finish(), output);
  } finally {
    await operator.close();
  }
  return { rows: output.rows, failures: errors.failures };
}

/** Drives in all ways and returns the one result; throws where two differ. */
export async function driveOperatorAllWays(test: OperatorCase): Promise<OperatorResult> {
  let first: OperatorResult | null = null;
  for (const options of DRIVES) {
    const result = await driveOperator(test, options);
    if (first === null) {
      first = result;
      continue;
    }
    const [expected, actual] = [first, result].map((each) => JSON.stringify(each, jsonValue));
    if (expected !== actual) {
      throw new Error(
        `batches of ${options.batchSize} rows with ${options.pauses} pauses gave\n${actual}\n` +
          `but single rows gave\n${expected}`,
      );
    }
  }
  return first ?? { rows: [], failures: [] };
}

/** The first rows, as far as they come from one input. */
function sameInput(rows: readonly InputRow[]): readonly InputRow[] {
  const other = rows.findIndex((row) => (row.input ?? 0) !== (rows[0]?.input ?? 0));
  return other < 0 ? rows : rows.slice(0, other);
}

async function processBatch(
  operator: Operator,
  batch: ColumnBatch,
  input: number,
  output: CollectingOutput,
): Promise<void> {
  await operator.prepare?.(batch);
  let row = 0;
  while (row < batch.rowCount) {
    const next = operator.process(batch, row, input);
    if (next < row || next > batch.rowCount) throw new Error(`process() returned row ${next} of ${batch.rowCount}`);
    if (next === row && output.ready) throw new Error(`process() stopped at row ${row} with its output ready`);
    row = next;
    drain(output);
  }
}

function resume(call: () => boolean, output: CollectingOutput): void {
  for (let calls = 0; !call(); calls++) {
    if (output.ready && calls > MAX_IDLE_CALLS)
      throw new Error('the operator does not finish though its output is ready');
    drain(output);
  }
  drain(output);
}

function drain(output: CollectingOutput): void {
  while (!output.advance());
}
