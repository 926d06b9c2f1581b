import { defineErrors } from '../../core/index.ts';

export const lineErrors = defineErrors({
  'MR-LINES-TOO-LONG': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{source}: the record at byte {offset} is longer than {limit} bytes; raise `maxRecord` if it may be',
    help:
      'A record ends at a line feed (outside quotes, for CSV). Either the records are this long, and the option ' +
      '`maxRecord` has to allow it, or the input is no text of lines, or a quote in a CSV file is never closed.',
  },
});
