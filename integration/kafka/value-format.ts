/* A format for tests of the connector itself: the value as one bytes field, unless it says that it is poison. */
import {
  appendBytes,
  setNull,
  type BytesColumn,
  type Column,
  type FormatDefinition,
  type RecordDecoder,
} from '../../src/core/index.ts';

export const POISON = 'poison';

class PoisonError extends Error {
  readonly code = 'MR-TEST-POISON';
  readonly scope = 'record';
}

export const valueFormat: FormatDefinition = {
  name: 'value',
  doc: 'The value as it is.',
  options: {},
  framing: 'none',
  canDecode: true,
  canEncode: true,
  fixedSchema: () => null,
  check: () => [],
  createDecoder(spec, metadata) {
    const valueIndex = spec.projection.indexOf(0);
    const decoder = {
      failure: null as { readonly error: Error; readonly stepId: string } | null,
      decode(...[block, fromRecord, batch, records]: Parameters<RecordDecoder['decode']>) {
        const firstRow = batch.rowCount;
        decoder.failure = null;
        let record = fromRecord;
        for (; record < block.count && batch.rowCount < batch.capacity; record++) {
          const start = block.valueStarts[record] as number;
          const bytes = start < 0 ? null : block.data.subarray(start, block.valueEnds[record]);
          if (bytes !== null && Buffer.from(bytes).toString().startsWith(POISON)) {
            decoder.failure = { error: new PoisonError('poison'), stepId: spec.stepId };
            break;
          }
          const column = batch.columns[valueIndex];
          if (column !== undefined) put(column, batch.rowCount, bytes);
          records[batch.rowCount++] = record;
        }
        metadata.write(block, batch, records, firstRow, batch.rowCount);
        return record;
      },
    };
    return decoder;
  },
  createEncoder: (_spec, fields) => ({
    failedRow: -1,
    encode(batch, fromRow, block, maxBytes) {
      const column = batch.columns[fields[0] ?? 0] as BytesColumn;
      let row = fromRow;
      for (; row < batch.rowCount && block.count < block.capacity && block.used <= maxBytes; row++) {
        const bytes = column.data.subarray(column.starts[row], column.ends[row]);
        block.reserve(bytes.length).set(bytes, block.used);
        block.starts[block.count] = block.used;
        block.used += bytes.length;
        block.ends[block.count++] = block.used;
      }
      return row;
    },
  }),
};

function put(column: Column, row: number, bytes: Uint8Array | null): void {
  if (bytes === null) setNull(column, row);
  else {
    if (column.hasNulls) column.nulls[row] = 0;
    appendBytes(column as BytesColumn, row, bytes);
  }
}
