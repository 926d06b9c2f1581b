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
  'MR-OPERATOR-NO-EVENT-TIME': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'step {step} groups rows by event time, and this row has {what}',
    help:
      'The field that `watermark:` names is NULL in this row, or so far away that the window around it has no ' +
      'timestamps. `errors:` of the source says what becomes of such rows; a filter in front of the step avoids them.',
  },
});
