import { stringify } from 'yaml';

import type { OptionValue } from '../../core/index.ts';

/** A job file as data: what the TypeScript API makes. */
export interface JobDocument {
  readonly name: string;
  readonly steps: readonly { readonly id: string; readonly [key: string]: OptionValue }[];
  readonly [key: string]: OptionValue | JobDocument['steps'];
}

export interface RenderedJobFile {
  readonly text: string;
  /** The line, from one, on which each step begins. */
  readonly stepLines: readonly number[];
}

/** Texts in quotes: YAML takes none of them for anything else. One line each, however long. */
const FORM = {
  defaultStringType: 'QUOTE_DOUBLE',
  defaultKeyType: 'PLAIN',
  lineWidth: 0,
  doubleQuotedMinMultiLineLength: Infinity,
  aliasDuplicateObjects: false,
} as const;

/** The job file that says what `document` says; compileJob() then checks it like any other. */
export function renderJobFile({ steps, ...settings }: JobDocument): RenderedJobFile {
  const parts: string[] = [stringify(escaped(settings), FORM), 'steps:\n'];
  let line = 1 + linesOf(parts);
  const stepLines: number[] = [];
  for (const step of steps) {
    const text = stringify([escaped(step)], FORM);
    stepLines.push(line);
    parts.push(text);
    line += linesOf([text]);
  }
  if (steps.length === 0) parts[1] = 'steps: []\n';
  return { text: parts.join(''), stepLines };
}

function linesOf(parts: readonly string[]): number {
  return parts.reduce((sum, part) => sum + part.split('\n').length - 1, 0);
}

/** Variables are a matter of job files: `${` in a text of a program is just that. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('${', () => '$${');
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, escaped(each)]));
}
