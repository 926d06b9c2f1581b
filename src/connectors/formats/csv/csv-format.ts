import type { FormatDefinition } from '../../../core/index.ts';
import { RowwiseDecoder } from '../rowwise-decoder.ts';
import { CsvEncoder } from './csv-encoder.ts';
import { checkDialect, csvDialect, csvOptions } from './csv-options.ts';
import { CsvReader } from './csv-reader.ts';

/** Comma-separated values, RFC 4180. */
export const csvFormat: FormatDefinition = Object.freeze({
  name: 'csv',
  doc: 'Comma-separated values, one record per line.',
  options: csvOptions,
  framing: 'csv',
  canDecode: true,
  canEncode: true,
  fixedSchema: () => null,
  check: (_schema, options) => checkDialect(options),
  createDecoder: (spec, metadata) =>
    new RowwiseDecoder(spec, metadata, (wanted) => new CsvReader(spec, csvDialect(spec.format?.options ?? {}), wanted)),
  createEncoder: (spec, fields) => new CsvEncoder(spec, fields, csvDialect(spec.format?.options ?? {})),
} satisfies FormatDefinition);
