import { defineOptions } from '../../core/index.ts';
import type { OptionValues } from '../../core/index.ts';
import { streamOptions } from '../lines/stream-format.ts';

export const fileSourceOptions = defineOptions({
  path: {
    kind: 'string',
    required: true,
    doc: 'A file or a glob of files (`data/*.jsonl`). Every file is read by one subtask, from its start.',
    scope: 'connector',
  },
  follow: {
    kind: 'boolean',
    default: false,
    doc: 'Goes on waiting for lines that are appended and for new files, as `tail -F`; otherwise ends with the files.',
    scope: 'connector',
  },
  pollInterval: {
    kind: 'duration',
    default: '500ms',
    min: 1,
    doc: 'With `follow`: how often files are looked at for new lines, and the directory for new files.',
    aliases: ['source.monitor-interval'],
    scope: 'connector',
  },
  ...streamOptions,
});
export type FileSourceOptions = OptionValues<typeof fileSourceOptions>;
