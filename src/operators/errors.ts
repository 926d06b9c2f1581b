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
  'MR-OPERATOR-NO-LOOKUP': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'step {step} looks rows up by connector {connector}, which this build does not have',
    help: 'Linting refuses such jobs: the job was made by a build with other connectors than the one that runs it.',
  },
  'MR-OPERATOR-LOOKUP-FAILED': {
    domain: 'external',
    scope: 'record',
    retry: 'never',
    message: 'step {step} could not look up a row, at attempt {attempts}: {problem}',
    help:
      'What the step asks did not answer, or not in a form that fits `schema`. `retry:` of the step says how often ' +
      'it asks, `timeout:` how long it waits each time; `errors:` of the source says what becomes of the row.',
  },
  'MR-OPERATOR-LOOKUP-TIMEOUT': {
    domain: 'external',
    scope: 'record',
    retry: 'backoff',
    message: 'step {step} had no answer within {timeout} ms',
    help: 'The service is slow or does not answer at all. `timeout:` of the step says how long each attempt may take.',
  },
});
