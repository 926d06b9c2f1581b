/** What tests of formats have in common: specs, blocks of records, decoding record by record. */
import { ColumnBatch, emittedSchema, EncodedBlock, batchOf, RecordBlock, rowsOf, rowSchema } from '../../core/index.ts';
import type {
  Field,
  FormatDefinition,
  OptionValue,
  RecordDecoder,
  SinkSpec,
  SourceSpec,
  Value,
} from '../../core/index.ts';

export const noMetadata = { write: () => undefined };

export function specOf(fields: readonly Field[], more: Partial<SourceSpec> = {}): SourceSpec {
  return {
    stepId: 'in',
    connector: 'test',
    options: {},
    format: { name: 'test', options: {} },
    schema: rowSchema(fields),
    metadata: [],
    projection: fields.map((_, index) => index),
    filters: [],
    errors: { kind: 'fail' },
    ...more,
  };
}

function sinkSpecOf(fields: readonly Field[], options: Readonly<Record<string, OptionValue>> = {}): SinkSpec {
  return {
    stepId: 'out', connector: 'test', options: {}, format: { name: 'test', options }, input: rowSchema(fields),
    changelog: 'append', uniqueKey: [],
  };
}

/** Records one behind the other in a buffer; null is a tombstone. */
export function blockOf(records: readonly (string | Uint8Array | null)[]): RecordBlock {
  const block = new RecordBlock(Math.max(1, records.length));
  const parts = records.map((text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text));
  block.data = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  parts.forEach((part, index) => {
    block.valueStarts[index] = part === null ? -1 : at;
    if (part !== null) block.data.set(part, at);
    at += part?.length ?? 0;
    block.valueEnds[index] = at;
    block.offsets[index] = index + 1;
  });
  block.count = records.length;
  return block;
}

export type Outcome = { readonly row: Value[] } | { readonly error: string; readonly stepId: string } | 'dropped';

/** What becomes of each record. */
export function decodeBlock(decoder: RecordDecoder, spec: SourceSpec, block: RecordBlock, capacity = 16): Outcome[] {
  const outcomes = Array.from({ length: block.count }, (): Outcome => 'dropped');
  const batch = new ColumnBatch(emittedSchema(spec), capacity);
  const records = new Int32Array(capacity);
  for (let record = 0; record < block.count; ) {
    batch.reset();
    const failures: [number, Outcome][] = [];
    // As readers do it: the same batch goes on behind a failure, until it is full.
    while (record < block.count && batch.rowCount < capacity) {
      record = decoder.decode(block, record, batch, records);
      if (decoder.failure === null) break;
      const { error, stepId } = decoder.failure;
      const code = 'code' in error ? `${String(error.code)} ` : 'BUG ';
      failures.push([record++, { error: code + error.message, stepId }]);
    }
    rowsOf(batch).forEach((row, index) => (outcomes[records[index] as number] = { row }));
    for (const [index, outcome] of failures) outcomes[index] = outcome;
  }
  return outcomes;
}

/** Rows, or messages of failures, of a fresh decoder. */
export function decodeWith(
  format: FormatDefinition,
  records: readonly (string | Uint8Array | null)[],
  fields: readonly Field[],
  more: Partial<SourceSpec> = {},
): (Value[] | string)[] {
  const spec = specOf(fields, more);
  const outcomes = decodeBlock(format.createDecoder(spec, noMetadata), spec, blockOf(records));
  return outcomes.map((outcome) => (outcome === 'dropped' ? outcome : 'row' in outcome ? outcome.row : outcome.error));
}

export function encodeWith(
  format: FormatDefinition,
  rows: readonly (readonly Value[])[],
  fields: readonly Field[],
  options: Readonly<Record<string, OptionValue>> = {},
): Uint8Array[] {
  const encoder = format.createEncoder(sinkSpecOf(fields, options), fields.map((_, index) => index));
  const batch = batchOf(rowSchema(fields), rows);
  // Small, so that it has to grow in the middle of rows.
  const block = new EncodedBlock(3, 16);
  const records: Uint8Array[] = [];
  for (let row = 0; row < batch.rowCount; ) {
    block.reset();
    row = encoder.encode(batch, row, block, 1000);
    for (let i = 0; i < block.count; i++) records.push(block.data.slice(block.starts[i], block.ends[i]));
  }
  return records;
}
