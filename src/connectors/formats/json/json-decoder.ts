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
import { generateDecoder, type GeneratedDecoder } from './decoder-source.ts';
import type { FilterSource } from './filter-source.ts';
import { declaredLayout, learnLayout, sameLayout, type RecordLayout } from './record-layout.ts';


/** How often a decoder is generated anew for another layout of keys; records of many layouts settle for the last. */
const MAX_LAYOUTS = 8;
/** A layout that surprises more often than once in this many records is not the one to expect. */
const RECORDS_PER_SURPRISE = 4;

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
    const next = this.#run(state, block, fromRecord, state.columns, records, capacity);
    batch.rowCount = state.row;
    if (state.row > firstRow) this.#metadata.write(block, batch, records, firstRow, state.row);
    if (state.error !== null) this.#fail();
    else if (state.surprises * RECORDS_PER_SURPRISE > next - fromRecord) this.#learn(block, next - 1);
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
  return [...learned, ...known.filter((slot) => slot.target >= 0 && !keys.has(slot.key))];
}
