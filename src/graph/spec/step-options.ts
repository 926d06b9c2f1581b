/** The tables of blocks inside steps. */
import { defineOptions } from '../../core/index.ts';

/** The block `watermark` of a source. */
export const watermarkOptions = defineOptions({
  field: {
    kind: 'string',
    required: true,
    aliases: ['rowtime', 'column', 'timestamp', 'time', 'event_time', 'eventTime', 'on'],
    doc: 'the timestamp field, declared or metadata, that says when a row happened',
  },
  delay: {
    kind: 'duration',
    default: '0s',
    aliases: ['maxOutOfOrderness', 'max_out_of_orderness', 'outOfOrderness', 'lag', 'bound', 'lateness'],
    doc: 'how much later a row may come than a younger one of its split',
  },
  idle: {
    kind: 'duration',
    aliases: ['idleness', 'idleTimeout', 'idle-timeout', 'table.exec.source.idle-timeout', 'scan.watermark.idle-timeout'],
    doc: 'a split that is silent for so long holds nobody back; without it, it does',
  },
});
