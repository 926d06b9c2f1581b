import { defineOptions } from '../../core/index.ts';
import type { Options, OptionValues } from '../../core/index.ts';

export const fileSinkOptions = defineOptions({
  path: {
    kind: 'string',
    required: true,
    doc:
      'The directory to write to; it is made if it is not there. Subtask N writes `part-N` with a suffix; ' +
      'exactly-once, one `part-N-RUN-CHECKPOINT` for each checkpoint that it has rows in.',
    scope: 'connector',
  },
  overwrite: {
    kind: 'boolean',
    default: false,
    doc: 'Deletes the part files that are in the directory first; otherwise their presence is an error.',
    scope: 'connector',
  },
  delivery: {
    kind: 'enum',
    values: ['at-least-once', 'exactly-once'],
    default: 'at-least-once',
    doc:
      'exactly-once: files appear, whole, when their checkpoint is complete; at-least-once: rows appear at once, and ' +
      'again after a restart',
    scope: 'connector',
    aliases: ['sink.delivery-guarantee', 'delivery.guarantee'],
  },
});
export type FileSinkOptions = OptionValues<typeof fileSinkOptions>;

/** `delivery: exactly-once`. */
export function deliversExactlyOnce(options: Options): boolean {
  return options['delivery'] === 'exactly-once';
}
