import { createColumn } from '../../../core/index.ts';
import type {
  Column,
  ColumnBatch,
  Field,
  MetadataWriter,
  RecordBlock,
  RecordDecoder,
  SourceSpec,
} from '../../../core/index.ts';
import { DecodeState } from './decode-state.ts';
import { generateDecoder, type GeneratedDecoder } from './decoder-source.ts';
import type { FilterSource } from './filter-source.ts';
import { declaredLayout, learnLayout, sameLayout, type RecordLayout } from './record-layout.ts';
import { wantedFields, type WantedFields } from '../wanted-fields.ts';

/** How often a decoder is generated anew for another layout of keys; records of many layouts settle for the last. */
const MAX_LAYOUTS = 8;
/** A layout that surprises more often than once in this many records is not the one to expect. */
const RECORDS_PER_SURPRISE = 4;

/** Decodes blocks of JSON records with generated code; see decoder-source.ts. */
export class JsonDecoder implements RecordDecoder {
  failure: { readonly error: Error; readonly stepId: string } | null = null;
  readonly #spec: SourceSpec;
  readonly #metadata: MetadataWriter;
  readonly #wanted: WantedFields;
  readonly #targetOfName: ReadonlyMap<string, number>;
  readonly #filters: readonly FilterSource[];
  readonly #state: DecodeState;
  #layout: RecordLayout;
  #layoutCount = 1;
  #run: GeneratedDecoder;
  #scratch: readonly Column[] = [];
  #scratchCapacity = 0;

  constructor(spec: SourceSpec, metadata: MetadataWriter) {
    this.#spec = spec;
    this.#metadata = metadata;
    this.#wanted = wantedFields(spec);
    const targets = this.#wanted.targets.map(({ field }) => field);
    this.#targetOfName = new Map(targets.map((field, index) => [field.name, index]));
    this.#filters = spec.filters.map(({ predicate }) => ({ predicate, targetOf: this.#wanted.targetOf }));
    this.#state = new DecodeState(targets);
    const fieldNames = spec.schema.fields.map((field) => field.name);
    this.#layout = declaredLayout(fieldNames, this.#targetOfName);
    this.#run = this.#generate(targets);
  }

  #generate(targets: readonly Field[]): GeneratedDecoder {
    this.#state.setLayout(this.#layout);
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
    state.columns = this.#columns(batch);
    prepareColumns(state.columns, firstRow, block.data);
    const capacity = Math.min(batch.capacity, records.length);
    const next = this.#run(state, block, fromRecord, state.columns, records, capacity);
    batch.rowCount = state.row;
    if (state.row > firstRow) this.#metadata.write(block, batch, records, firstRow, state.row);
    if (state.error !== null) this.#fail();
    else if (state.surprises * RECORDS_PER_SURPRISE > next - fromRecord) this.#learn(block, next - 1);
    return next;
  }

  /** Where each target goes: into the batch, or into scratch where only a filter reads it. */
  #columns(batch: ColumnBatch): Column[] {
    if (this.#scratchCapacity < batch.capacity) {
      this.#scratchCapacity = batch.capacity;
      this.#scratch = this.#wanted.targets.map(({ field, output }) =>
        createColumn(field.type, output < 0 ? batch.capacity : 0),
      );
    }
    for (const { from, to } of this.#wanted.aliases) batch.columns[to] = batch.columns[from] as Column;
    return this.#wanted.targets.map(({ output }, index) =>
      output < 0 ? (this.#scratch[index] as Column) : (batch.columns[output] as Column),
    );
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
  return [...learned, ...known.filter((slot) => slot.target >= 0 && !keys.has(slot.key))];
}

/** Makes columns borrow the block, and their `nulls` zero from `row` on: the generated code only ever sets them. */
function prepareColumns(columns: readonly Column[], row: number, data: Uint8Array): void {
  for (const column of columns) {
    if (row === 0) {
      column.hasNulls = false;
      if (column.kind === 'long' || column.kind === 'decimal') column.wide = null;
      if (column.kind === 'bytes') {
        column.used = 0;
        column.data = data;
      }
    }
    if (!column.hasNulls) column.nulls.fill(0);
  }
}
