import { defineErrors } from '../../core/index.ts';

/**
 * Errors of formats. Those of scope `record` say which record of the input, or row of the output, cannot be converted;
 * `errors:` of the source decides what becomes of the record.
 */
export const formatErrors = defineErrors({
  'MR-FORMAT-SYNTAX': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the record is no {format}: {problem} at byte {position}',
    help:
      'The bytes of the record do not follow the grammar of the format. Look at the producer, or set `errors: skip` ' +
      'or `errors: {to: TARGET}` on the source to leave such records out.',
  },
  'MR-FORMAT-UTF8': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the record is no valid UTF-8: {problem} at byte {position}',
    help:
      'Text is UTF-8 everywhere. The record was written in another encoding, was cut, or holds a surrogate without ' +
      'its partner, which no UTF-8 can express. Declare the field `bytes` where the format allows it, or fix the ' +
      'producer.',
  },
  'MR-FORMAT-TYPE': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'field `{field}` is declared {expected}, but the record holds {found} at byte {position}',
    help:
      'The schema of the source and the record disagree. Nothing is converted silently: declare the field with the ' +
      'type that the records have (`json` takes anything) and CAST it in a select.',
  },
  'MR-FORMAT-RANGE': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'field `{field}`: {found} at byte {position} does not fit into {expected} without loss',
    help:
      'The value is outside the range of the declared type, or has more decimal places than its scale. Declare a ' +
      'wider type, or read the field as string or double and CAST it, which rounds.',
  },
  'MR-FORMAT-COLUMNS': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the record has {found} columns, the schema {expected}',
    help:
      'A line of CSV must have one column per declared field. The delimiter or the quote character may be another ' +
      'one: see the options `delimiter` and `quote`. `missingColumns: null` reads short lines.',
  },
  'MR-FORMAT-HEADER': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the header of the CSV lacks the columns {missing}; it has {found}',
    help:
      'With `header: true` every declared field must be named by the first line. Names are case-sensitive; the ' +
      'delimiter may be another one than the option `delimiter` says.',
  },
  'MR-FORMAT-ENCODE': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'field `{field}` ({type}) cannot be written as {format}: {problem}',
    help:
      'The format has no spelling for the value, such as NaN in JSON. Replace it before the sink, for example with ' +
      'NULLIF or CASE.',
  },
  'MR-FORMAT-AVRO': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the record does not fit its Avro schema: {problem}',
    help:
      'The record was written with another schema than the one in the options, or is preceded by the header of a ' +
      'schema registry, or is damaged.',
  },
  'MR-FORMAT-OPTIONS': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'format {format}: {problem}',
    help: 'The options of the format cannot be used as they are. `millrace lint` reports this before anything runs.',
  },
});
