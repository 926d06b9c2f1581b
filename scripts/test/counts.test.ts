import { describe, expect, it } from '@jest/globals';

import { countCheck, countJest, formatCounts, sumCounts, type JestReport } from './index.ts';

const clean: JestReport = {
  success: true,
  numPassedTests: 7,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

describe('the counts of npm test', () => {
  it.each([
    ['a clean run', clean, 0, '7 passed, 0 failed'],
    ['skipped tests', { ...clean, numPendingTests: 2, numTodoTests: 1 }, 0, '7 passed, 0 failed, 3 skipped'],
    ['failed tests', { ...clean, success: false, numFailedTests: 2 }, 1, '7 passed, 2 failed'],
    ['a file that does not load', { ...clean, success: false, numRuntimeErrorTestSuites: 1 }, 1, '7 passed, 1 failed'],
    ['a teardown that broke', clean, 1, '7 passed, 1 failed'],
    ['no tests found', { ...clean, success: false, numPassedTests: 0 }, 1, '0 passed, 1 failed'],
    ['no report', null, 134, '0 passed, 1 failed'],
  ])('%s', (_what, report, exitCode, line) => {
    expect(formatCounts(countJest(report, exitCode))).toBe(line);
  });

  it('counts checks and adds up', () => {
    const check = countCheck([{ findings: [] }, { findings: ['a', 'b'] }, { findings: [] }]);
    expect(formatCounts(sumCounts([check, countJest(clean, 0)]))).toBe('9 passed, 1 failed');
  });
});
