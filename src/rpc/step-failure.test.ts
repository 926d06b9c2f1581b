import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '../core/index.ts';
import { stepFailure } from './index.ts';

describe('the failure of a step', () => {
  const error = new MillraceError(
    'MR-X',
    { domain: 'user', scope: 'record', retry: 'never', message: 'overflow of {what}' },
    { what: 'a {b}' },
  );

  it('keeps the code and adds step and position', () => {
    const failure = stepFailure(error, 'totals', 'topic t, partition 3, offset 7');
    expect(failure).toMatchObject({
      code: 'MR-X',
      scope: 'record',
      message: 'step totals at topic t, partition 3, offset 7: overflow of a {b}',
      fields: { what: 'a {b}', step: 'totals', position: 'topic t, partition 3, offset 7' },
    });
  });

  it('is completed once', () => {
    const first = stepFailure(error, 'totals', null);
    expect(stepFailure(first, 'other', 'elsewhere').message).toBe('step totals: overflow of a {b}');
  });

  it('makes an internal error of what has no code, and keeps its stack', () => {
    const failure = stepFailure(new TypeError('x is undefined'), 'totals', null);
    expect(failure.code).toBe('MR-INTERNAL');
    expect(failure.stack).toContain('step-failure.test');
  });
});
