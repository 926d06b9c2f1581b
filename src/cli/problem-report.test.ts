import { describe, expect, it } from '@jest/globals';

import { describeProblem, problemDocument, styleFor } from './problem-report.ts';

const problem = {
  fileName: 'job.yaml',
  line: 2,
  column: 4,
  endColumn: 10,
  code: 'MR-JOB-UNKNOWN-KEY',
  message: 'a step has no setting `fliter`',
  expected: 'one of filter, select',
  suggestion: 'filter',
} as const;
const text = 'steps:\n\t- fliter: a > 1\r\n';

describe('a problem of a job file', () => {
  it('is one line elsewhere than on a terminal', () => {
    expect(describeProblem(problem, text, { colors: false, excerpt: false })).toBe(
      'job.yaml:2:4: error MR-JOB-UNKNOWN-KEY: a step has no setting `fliter`; expected one of filter, select; ' +
        'did you mean `filter`?',
    );
  });

  it('shows the place on a terminal', () => {
    const lines = describeProblem(problem, text, { colors: false, excerpt: true }).split('\n');
    expect(lines.slice(1)).toEqual(['  2 | \t- fliter: a > 1', '    | \t  ^^^^^^']);
  });

  it('marks one place where the range is empty, and none where there is no such line', () => {
    const at = { ...problem, column: 30, endColumn: 30 };
    expect(describeProblem(at, text, { colors: false, excerpt: true })).toMatch(/\^$/);
    expect(describeProblem({ ...at, line: 99 }, text, { colors: false, excerpt: true })).not.toContain('\n');
  });

  it('does not repeat what the message says', () => {
    const said = { ...problem, message: 'no `fliter`: one of filter, select', expected: 'one of filter, select' };
    const line = describeProblem(said, text, { colors: false, excerpt: false });
    expect(line).toMatch(/: no `fliter`: one of filter, select$/);
  });

  it('is plain data for scripts', () => {
    const { line, column, code } = problem;
    expect(problemDocument(problem)).toMatchObject({ file: 'job.yaml', line, column, code });
  });

  it('has colours only where they are wanted', () => {
    const terminal = { isTerminal: true, columns: () => 80, rows: () => 24 };
    expect(styleFor(terminal, {})).toEqual({ colors: true, excerpt: true });
    expect(styleFor(terminal, { NO_COLOR: '1' })).toEqual({ colors: false, excerpt: true });
    expect(styleFor(terminal, { TERM: 'dumb' })).toEqual({ colors: false, excerpt: true });
    expect(styleFor({ ...terminal, isTerminal: false }, {})).toEqual({ colors: false, excerpt: false });
    expect(describeProblem(problem, text, { colors: true, excerpt: false })).toContain('\u001b[31m');
  });
});
