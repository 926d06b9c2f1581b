import { defineOptions } from '../../../core/index.ts';
import type { OptionProblem, Options, OptionValue, OptionValues } from '../../../core/index.ts';

const oneByte = (value: OptionValue): string | null => {
  const text = typeof value === 'string' ? value : '';
  if (text === 'tab' || /^[\x20-\x7e\t]$/.test(text)) return null;
  return 'must be one ASCII character, or `tab`';
};

export const csvOptions = defineOptions({
  delimiter: {
    kind: 'string',
    default: ',',
    doc: 'What stands between two columns; `tab` for a tabulator.',
    aliases: ['csv.field-delimiter', 'field-delimiter', 'separator'],
    validate: oneByte,
    scope: 'format',
  },
  quote: {
    kind: 'string',
    default: '"',
    doc: 'What stands around columns that hold a delimiter, a quote (doubled) or a line break.',
    aliases: ['csv.quote-character', 'quote-character'],
    validate: oneByte,
    scope: 'format',
  },
  header: {
    kind: 'boolean',
    default: false,
    doc:
      'Files begin with a line of column names: columns are then matched with fields by name, and files are written ' +
      'with such a line. Otherwise columns are the fields in order.',
    scope: 'format',
  },
  nullLiteral: {
    kind: 'string',
    default: '',
    doc: 'What a NULL looks like, unquoted. By default nothing: an empty string stands in quotes.',
    aliases: ['csv.null-literal', 'null-literal'],
    scope: 'format',
  },
  missingColumns: {
    kind: 'enum',
    values: ['fail', 'null'],
    default: 'fail',
    doc: 'Whether a record with too few columns fails, or its last fields are NULL.',
    aliases: ['csv.ignore-parse-errors'],
    scope: 'format',
  },
});

export interface CsvDialect {
  /** Bytes. */
  readonly delimiter: number;
  readonly quote: number;
  readonly header: boolean;
  readonly nullLiteral: string;
  readonly missingAsNull: boolean;
}

export function csvDialect(given: Options): CsvDialect {
  const { delimiter, quote, header, nullLiteral, missingColumns } = given as OptionValues<typeof csvOptions>;
  const byteOf = (text: string): number => (text === 'tab' ? 0x09 : text.charCodeAt(0));
  return {
    delimiter: byteOf(delimiter),
    quote: byteOf(quote),
    header,
    nullLiteral,
    missingAsNull: missingColumns === 'null',
  };
}

export function checkDialect(given: Options): OptionProblem[] {
  const { delimiter, quote, nullLiteral } = csvDialect(given);
  const problem = (key: string, message: string): OptionProblem[] => [
    { path: [key], what: 'invalid', message, suggestion: null },
  ];
  if (delimiter === quote) return problem('quote', '`quote` and `delimiter` must differ');
  if ([delimiter, quote, 0x0a, 0x0d].some((byte) => nullLiteral.includes(String.fromCharCode(byte)))) {
    return problem('nullLiteral', '`nullLiteral` must hold no delimiter, quote or line break');
  }
  return [];
}
