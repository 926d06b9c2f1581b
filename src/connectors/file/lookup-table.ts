import { ColumnBatch, rowSchema, rowsOf } from '../../core/index.ts';
import type { LookupRow, LookupSpec, RecordErrorHandler, RowSchema, TaskContext, Value } from '../../core/index.ts';
import { formatNamed } from '../formats/index.ts';
import { recordsOf } from '../lookup-records.ts';
import { STREAM_BATCH_ROWS, StreamDecoder } from '../lines/stream-decoder.ts';
import { createFraming, noMetadata, skipsEmptyRecords } from '../lines/stream-format.ts';
import { fileErrors } from './errors.ts';

const CHUNK_BYTES = 1 << 20;
const NOTHING: readonly LookupRow[] = Object.freeze([]);

/** A record that cannot be read spoils the table: nobody could say which rows it lacks. */
const REFUSE: RecordErrorHandler = {
  handle(_batch, _row, _stepId, error) {
    throw error;
  },
};

export interface TableFile {
  readonly path: string;
  readonly maxRecordBytes: number;
  readonly limitBytes: number;
}

/** The rows of a file by what they are looked up by. */
export class LookupTable {
  readonly #spec: LookupSpec;
  readonly #file: TableFile;
  /** The declared fields, then those of the key that are not among them. */
  readonly #schema: RowSchema;
  readonly #keys: readonly number[];
  readonly #rows = new Map<string, LookupRow[]>();

  constructor(spec: LookupSpec, file: TableFile) {
    this.#spec = spec;
    this.#file = file;
    const names = new Set(spec.schema.fields.map(({ name }) => name));
    this.#schema = rowSchema([...spec.schema.fields, ...spec.keys.fields.filter(({ name }) => !names.has(name))]);
    this.#keys = spec.keys.fields.map(({ name }) => this.#schema.fields.findIndex((field) => field.name === name));
  }

  /** The rows of a key, in the order of the file. */
  find(key: LookupRow): readonly LookupRow[] {
    return this.#rows.get(keyText(key)) ?? NOTHING;
  }

  async read({ ports }: TaskContext): Promise<void> {
    const { path, maxRecordBytes, limitBytes } = this.#file;
    const records = recordsOf(this.#spec, this.#schema);
    const format = formatNamed(records.format);
    const decoder = new StreamDecoder(
      format.createDecoder(records, noMetadata),
      createFraming(records),
      { name: path, maxRecordBytes, skipsEmpty: skipsEmptyRecords(format), schema: this.#schema, offset: 0 },
      { value: 0 },
    );
    const batch = new ColumnBatch(this.#schema, STREAM_BATCH_ROWS);
    const file = await ports.files.open(path, 'read');
    try {
      for (let position = 0; ;) {
        const chunk = new Uint8Array(CHUNK_BYTES);
        const length = await file.read(chunk, chunk.length, position);
        position += length;
        if (position > limitBytes) {
          throw fileErrors.create('MR-FILE-READ', { path, problem: `it has grown beyond ${limitBytes} bytes` });
        }
        if (length > 0) decoder.push(chunk.subarray(0, length));
        else decoder.end();
        while (decoder.poll(batch, REFUSE)) this.#take(batch);
        if (length === 0) return;
      }
    } finally {
      await file.close();
    }
  }

  #take(batch: ColumnBatch): void {
    const width = this.#spec.schema.fields.length;
    for (const row of rowsOf(batch)) {
      const key = this.#keys.map((index) => row[index] as Value);
      if (key.includes(null)) continue;
      const text = keyText(key);
      const others = this.#rows.get(text);
      const found = row.slice(0, width);
      if (others === undefined) this.#rows.set(text, [found]);
      else others.push(found);
    }
  }
}

/** Different keys of the same types have different texts. */
function keyText(key: LookupRow): string {
  return key
    .map((value) => {
      const isBytes = ArrayBuffer.isView(value);
      const text = isBytes ? Buffer.from(value as Uint8Array).toString('hex') : String(value as string | number);
      return `${text.length}:${text}`;
    })
    .join('');
}
