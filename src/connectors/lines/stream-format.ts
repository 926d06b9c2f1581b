/** What sources of byte streams (files, sockets) have in common: their options, and how they treat formats. */
import { defineOptions } from '../../core/index.ts';
import type { FormatDefinition, MetadataWriter, OptionProblem, SourceSpec } from '../../core/index.ts';
import { csvDialect, formatNamed } from '../formats/index.ts';
import { CsvFraming, LineFraming, type RecordFraming } from './record-framing.ts';

export const streamOptions = defineOptions({
  maxRecord: {
    kind: 'size',
    default: '16MiB',
    min: 1,
    doc: 'The longest record (line) that is accepted.',
    aliases: ['maxLine'],
    scope: 'connector',
  },
});

/** Formats whose records cannot be told apart in a stream of bytes are refused. */
export function checkStreamFormat(format: { readonly name: string } | null): readonly OptionProblem[] {
  if (format === null || formatNamed(format).framing !== 'none') return [];
  const message =
    `records of format ${format.name} cannot be told apart in a file or on a socket; ` + 'use json, csv or raw';
  return [{ path: ['format'], what: 'invalid', message, suggestion: 'json' }];
}

export function createFraming(spec: SourceSpec): RecordFraming {
  const format = formatNamed(spec.format);
  return format.framing === 'csv' ? new CsvFraming(csvDialect(spec.format?.options ?? {})) : new LineFraming();
}

/** Empty lines between JSON objects or CSV rows mean nothing; in raw text they are lines. */
export function skipsEmptyRecords(format: FormatDefinition): boolean {
  return format.name !== 'raw';
}

export const noMetadata: MetadataWriter = Object.freeze({ write: () => undefined });
