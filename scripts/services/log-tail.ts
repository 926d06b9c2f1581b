import { readFileSync } from 'node:fs';

/** The last lines of a log, indented, for an error message. */
export function logTail(file: string, lines = 15): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return `(no log at ${file})`;
  }
  const tail = text.trimEnd().split('\n').slice(-lines);
  return [`the end of ${file}:`, ...tail.map((line) => `  ${line}`)].join('\n');
}
