import type {
  ColumnBatch,
  Field,
  MetadataWriter,
  RecordBlock,
  RecordDecoder,
  SourceSpec,
} from '../../../core/index.ts';
import { TargetColumns } from '../target-columns.ts';
import { wantedFields } from '../wanted-fields.ts';
import { DecodeState } from './decode-state.ts';
import { FastDecoder } from './fast-decoder.ts';
import { generateDecoder, type GeneratedDecoder } from './decoder-source.ts';
import type { FilterSource } from './filter-source.ts';
import { declaredLayout, laterLiteral, learnLayout, sameLayout, type RecordLayout } from './record-layout.ts';


/** How often a decoder is generated anew for another layout of keys; records of many layouts settle for the last. */
const MAX_LAYOUTS = 8;
/** A layout that surprises more often than once in this many records is not the one to expect. */
const RECORDS_PER_SURPRISE = 4;
/** Where more than one record in so many is not of the usual shape, the next blocks do without the fast decoder. */
const RECORDS_PER_UNUSUAL = 8;
const SLOW_BLOCKS = 100;

/** Decodes blocks of JSON records with generated code; see decoder-source.ts. */
export class JsonDecoder implements RecordDecoder {
  failure: { readonly error: Error; readonly stepId: string } | null = null;
  readonly #spec: SourceSpec;
  readonly #metadata: MetadataWriter;
  readonly #targetOfName: ReadonlyMap<string, number>;
  readonly #filters: readonly FilterSource[];
  readonly #state: DecodeState;
  readonly #columns: TargetColumns;
  #layout: RecordLayout;
  #layoutCount = 1;
  #run: GeneratedDecoder;
  #fast: FastDecoder | null = null;
  /** So many blocks are left to the generated JavaScript. */
  #slowBlocks = 0;

  constructor(spec: SourceSpec, metadata: MetadataWriter) {
    this.#spec = spec;
    this.#metadata = metadata;
    const wanted = wantedFields(spec);
    this.#columns = new TargetColumns(wanted);
    const targets = wanted.targets.map(({ field }) => field);
    this.#targetOfName = new Map(targets.map((field, index) => [field.name, index]));
    this.#filters = spec.filters.map(({ predicate }) => ({ predicate, targetOf: wanted.targetOf }));
    this.#state = new DecodeState(targets);
    const fieldNames = spec.schema.fields.map((field) => field.name);
    this.#layout = declaredLayout(fieldNames, this.#targetOfName);
    this.#run = this.#generate(targets);
  }

  #generate(targets: readonly Field[]): GeneratedDecoder {
    this.#state.setLayout(this.#layout);
    this.#fast = FastDecoder.create(targets, this.#layout, this.#filters);
    return generateDecoder(targets, this.#layout, this.#filters);
  }

  decode(block: RecordBlock, fromRecord: number, batch: ColumnBatch, records: Int32Array): number {
    const state = this.#state;
    const firstRow = batch.rowCount;
    this.failure = null;
    state.error = null;
    state.surprises = 0;
    state.row = firstRow;
    state.setBlock(block.data);
    state.columns = this.#columns.bind(batch, block.data);
    // The generated code only ever sets `nulls`: they are zero from the next row on.
    for (const column of state.columns) if (!column.hasNulls) column.nulls.fill(0);
    const capacity = Math.min(batch.capacity, records.length);
    const next =
      this.#fast === null || this.#slowBlocks > 0
        ? this.#run(state, block, fromRecord, block.count, state.columns, records, capacity)
        : this.#runFast(this.#fast, block, fromRecord, records, capacity);
    if (this.#slowBlocks > 0 && next >= block.count) this.#slowBlocks--;
    batch.rowCount = state.row;
    if (state.row > firstRow) this.#metadata.write(block, batch, records, firstRow, state.row);
    if (state.error !== null) this.#fail();
    else if (state.surprises * RECORDS_PER_SURPRISE > next - fromRecord) this.#learn(block, next - 1);
    return next;
  }

  /** Leaves records that are not of the usual shape to the generated JavaScript, one by one. */
  #runFast(fast: FastDecoder, block: RecordBlock, from: number, records: Int32Array, capacity: number): number {
    const state = this.#state;
    const { columns } = state;
    let next = from;
    let unusual = 0;
    fast.reset();
    while (next < block.count && state.row < capacity) {
      if (!fast.accepts(columns, block.data)) {
        return this.#run(state, block, next, block.count, columns, records, capacity);
      }
      const before = next;
      next = fast.decode(state, block, next, columns, records, capacity);
      if (next === before && state.error === null) {
        unusual++;
        next = this.#run(state, block, next, next + 1, columns, records, capacity);
      }
      if (state.error !== null) break;
    }
    if (unusual * RECORDS_PER_UNUSUAL > next - from) this.#slowBlocks = SLOW_BLOCKS;
    return next;
  }

  #fail(): void {
    const { error, failedFilter, columns, row } = this.#state;
    // What the record left at the row that the next record gets.
    for (const column of columns) column.nulls[row] = 0;
    this.failure = {
      error: error instanceof Error ? error : new Error(String(error)),
      stepId: this.#spec.filters[failedFilter]?.stepId ?? this.#spec.stepId,
    };
  }

  /** Expects the layout of this record from now on. */
  #learn(block: RecordBlock, record: number): void {
    const start = block.valueStarts[record] as number;
    if (this.#layoutCount >= MAX_LAYOUTS || start < 0) return;
    const { values, targets } = this.#state;
    const layout = learnLayout(values, start, block.valueEnds[record] as number, this.#targetOfName);
    if (layout === null || layout.length === 0 || sameLayout(layout, this.#layout)) return;
    this.#layout = withMissing(layout, this.#layout);
    this.#layoutCount++;
    this.#run = this.#generate(targets);
  }
}

/** Fields that the learned record lacks stay known: the search for a key finds them behind the others. */
function withMissing(learned: RecordLayout, known: RecordLayout): RecordLayout {
  const keys = new Set(learned.map((slot) => slot.key));
  const missing = known.filter((slot) => slot.target >= 0 && !keys.has(slot.key));
  return [...learned, ...missing.map((slot) => ({ ...slot, literal: laterLiteral(slot.key) }))];
}
