import type { OptionRow, OptionTable } from '../core/index.ts';
import { textTable } from './text-table.ts';

/** `duration, default 10s`, `one of a, b; required`. */
function describeOption(row: OptionRow): string {
  const kind = row.kind === 'enum' ? `one of ${(row.values ?? []).join(', ')}` : row.kind;
  const unit = row.unit === undefined ? '' : ` (${row.unit})`;
  const presence = row.required === true ? ', required' : defaultOf(row);
  return `${kind}${unit}${presence}`;
}

function defaultOf(row: OptionRow): string {
  if (row.default === undefined || row.default === null) return '';
  if (row.default === '') return '';
  // A comma or a blank needs quotes to be seen.
  const isWord = typeof row.default === 'string' && /^[\w.%:/-]+$/.test(row.default);
  return `, default ${isWord ? row.default : JSON.stringify(row.default)}`;
}

/** A line per option: name, what it takes, what it does. */
export function optionLines(table: OptionTable): readonly string[] {
  return textTable(Object.entries(table).map(([name, row]) => [name, describeOption(row), row.doc]));
}

/** The options as plain data, for `--json`. */
export function optionDocuments(table: OptionTable): readonly Readonly<Record<string, unknown>>[] {
  return Object.entries(table).map(([name, row]) => {
    const { kind, doc, required, values, unit, min, max, secret } = row;
    const always = { name, kind, doc, required: required === true, default: row.default ?? null };
    // What is undefined leaves the document.
    return { ...always, values, unit, min, max, secret };
  });
}
