import type { OptionRow, OptionTable } from '../../src/core/index.ts';
import { code, sentence, table } from './markdown.ts';

/** A table of options: what each takes, its default, what it does. */
export function optionTable(options: OptionTable): string {
  const rows = Object.entries(options).map(([name, row]) => [code(name), takes(row), defaultOf(row), doc(row)]);
  return table(['option', 'takes', 'default', 'what it does'], rows);
}

function takes(row: OptionRow): string {
  const unit = row.unit === undefined ? '' : `, ${row.unit}`;
  if (row.kind === 'enum') return (row.values ?? []).map(code).join(', ');
  const bounds = [
    ...(row.min === undefined ? [] : [`≥ ${row.min}`]),
    ...(row.max === undefined ? [] : [`≤ ${row.max}`]),
  ].join(', ');
  // Bounds of durations and sizes are in milliseconds and bytes: true, and no help to a reader.
  const shown = (row.kind === 'integer' || row.kind === 'number') && bounds !== '' ? `, ${bounds}` : '';
  return `${row.kind}${unit}${shown}`;
}

function defaultOf(row: OptionRow): string {
  if (row.required === true) return '*required*';
  if (row.default === undefined || row.default === null) return '';
  return code(typeof row.default === 'string' ? row.default : JSON.stringify(row.default));
}

function doc(row: OptionRow): string {
  const known = row.aliases ?? [];
  const secret = row.secret === true ? ' Never shown in logs or plans.' : '';
  const elsewhere = known.length === 0 ? '' : ` Elsewhere called ${known.map(code).join(', ')}.`;
  return `${sentence(row.doc)}${secret}${elsewhere}`;
}
