import { appendBytes, defineOptions, formatType } from '../../../core/index.ts';
import type {
  BytesColumn,
  Column,
  ColumnBatch,
  EncodedBlock,
  FormatDefinition,
  OptionProblem,
  RecordBlock,
  RecordEncoder,
  RowSchema,
  SinkSpec,
} from '../../../core/index.ts';
import { RowwiseDecoder, type RecordReader } from '../rowwise-decoder.ts';
import { checkUtf8 } from '../utf8.ts';
import type { WantedFields } from '../wanted-fields.ts';

/** The record's bytes as they are, in one field. */
export const rawFormat: FormatDefinition = Object.freeze({
  name: 'raw',
  doc: 'The bytes of a record (or a line) as they are, in one field of type string or bytes.',
  options: defineOptions({}),
  framing: 'lines',
  canDecode: true,
  canEncode: true,
  fixedSchema: () => null,
  check: checkRaw,
  createDecoder: (spec, metadata) => new RowwiseDecoder(spec, metadata, (wanted) => new RawReader(wanted)),
  createEncoder: (spec, fields) => new RawEncoder(spec, fields),
} satisfies FormatDefinition);

function checkRaw(schema: RowSchema): readonly OptionProblem[] {
  const [field, ...others] = schema.fields;
  const fits = field?.type.kind === 'string' || field?.type.kind === 'bytes';
  if (field !== undefined && fits && others.length === 0) return [];
  const given = schema.fields.map(({ name, type }) => `${name} ${formatType(type)}`).join(', ');
  const message = `format raw is one field of type string or bytes, not: ${given === '' ? 'none' : given}`;
  return [{ path: ['format'], what: 'invalid', message, suggestion: null }];
}

class RawReader implements RecordReader {
  readonly borrows = true;
  readonly #isText: boolean;

  constructor(wanted: WantedFields) {
    this.#isText = wanted.targets[0]?.field.type.kind === 'string';
  }

  read(block: RecordBlock, record: number, columns: readonly Column[], row: number): boolean {
    const column = columns[0] as BytesColumn | undefined;
    if (column === undefined) return true;
    const start = block.valueStarts[record] as number;
    const end = block.valueEnds[record] as number;
    if (this.#isText) checkUtf8(block.data, start, end, start);
    if (column.hasNulls) column.nulls[row] = 0;
    if (column.data === block.data) {
      column.starts[row] = start;
      column.ends[row] = end;
    } else {
      appendBytes(column, row, block.data.subarray(start, end));
    }
    return true;
  }
}

/** NULL is an empty record: raw has no other spelling for it. */
class RawEncoder implements RecordEncoder {
  readonly failedRow = -1;
  readonly #index: number;

  constructor(_spec: SinkSpec, fields: readonly number[]) {
    this.#index = fields[0] ?? 0;
  }

  encode(batch: ColumnBatch, fromRow: number, block: EncodedBlock, maxBytes: number): number {
    const column = batch.columns[this.#index] as BytesColumn;
    let row = fromRow;
    for (; row < batch.rowCount && block.count < block.capacity && block.used <= maxBytes; row++) {
      const isNull = column.hasNulls && column.nulls[row] === 1;
      const start = isNull ? 0 : (column.starts[row] as number);
      const end = isNull ? 0 : (column.ends[row] as number);
      const data = block.reserve(end - start);
      data.set(column.data.subarray(start, end), block.used);
      block.starts[block.count] = block.used;
      block.used += end - start;
      block.ends[block.count] = block.used;
      block.count++;
    }
    return row;
  }
}
