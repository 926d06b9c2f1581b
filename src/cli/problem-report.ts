import { createColors } from 'picocolors';

import type { JobProblem } from '../graph/index.ts';
import type { Terminal } from './process-environment.ts';

export interface ReportStyle {
  readonly colors: boolean;
  /** Whether the line of the file is shown below, with a mark. */
  readonly excerpt: boolean;
}

/** Colours and excerpts are for eyes; `NO_COLOR` (no-color.org) switches the former off. */
export function styleFor(terminal: Terminal, variables: Readonly<Record<string, string | undefined>>): ReportStyle {
  const wantsColors = (variables['NO_COLOR'] ?? '') === '' && variables['TERM'] !== 'dumb';
  return { colors: terminal.isTerminal && wantsColors, excerpt: terminal.isTerminal };
}

/** `job.yaml:12:5: error MR-JOB-…: what is wrong; what was expected; did you mean …?`, perhaps with an excerpt. */
export function describeProblem(problem: JobProblem, text: string, style: ReportStyle): string {
  const { bold, red, cyan } = createColors(style.colors);
  const { fileName, line, column, code } = problem;
  const head = `${bold(`${fileName}:${line}:${column}:`)} ${red('error')} ${code}: ${fullMessage(problem)}`;
  const lineText = text.split('\n')[line - 1]?.replace(/\r$/, '');
  if (!style.excerpt || lineText === undefined) return head;
  const number = String(line);
  const marks = Math.max(1, Math.min(problem.endColumn - column, lineText.length - column + 1));
  // Tabs stay, so that the mark stands below what it means.
  const indent = lineText.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return [
    head,
    `  ${cyan(number)} ${cyan('|')} ${lineText}`,
    `  ${' '.repeat(number.length)} ${cyan('|')} ${indent}${red('^'.repeat(marks))}`,
  ].join('\n');
}

/** The message with what was expected and the nearest name, where it does not hold them already. */
function fullMessage({ message, expected, suggestion }: JobProblem): string {
  const wanted = expected === null || message.includes(expected) ? '' : `; expected ${expected}`;
  const hint = suggestion === null || message.includes(suggestion) ? '' : `; did you mean \`${suggestion}\`?`;
  return `${message}${wanted}${hint}`;
}

/** The form of a problem in `--json` documents. */
export function problemDocument(problem: JobProblem): Readonly<Record<string, unknown>> {
  const { fileName, line, column, endColumn, code, message, expected, suggestion } = problem;
  return { file: fileName, line, column, endColumn, severity: 'error', code, message, expected, suggestion };
}
