import { defineErrors } from '../../core/index.ts';

export const printErrors = defineErrors({
  'MR-PRINT-OUTPUT': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'standard output takes no more lines: {problem}',
    help: 'Whatever read the output of the process has gone, for example `head` after its last line.',
  },
});
