import { defineErrors } from '../core/index.ts';

export const operatorErrors = defineErrors({
  'MR-OPERATOR-CHANGELOG': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'step {step} received a row that takes an earlier one back, and cannot',
    help:
      'A running aggregate reads insert-only streams. The plan should have refused this job when it was linted: this ' +
      'is a bug. Please report it with the job file.',
  },
});
