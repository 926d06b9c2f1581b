/** Times whose unit is a literal of at most a day: arithmetic of milliseconds. Calendars are the interpreter's. */
import { code, MAX_TIMESTAMP_MS } from '../../../core/index.ts';
import type { Code } from '../../../core/index.ts';
import { MS_PER_DAY } from '../../cast/date-time-text.ts';
import { failAsInterpreter } from '../call-site.ts';
import type { CallEmitter, CallSite } from '../call-site.ts';
import { operand, valueOf } from '../operand.ts';
import type { Operand } from '../operand.ts';

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  MILLISECOND: 1,
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: MS_PER_DAY,
};

/** How many of a unit the next larger one has. */
const UNITS_PER_NEXT: Readonly<Record<string, number>> = { MILLISECOND: 1000, SECOND: 60, MINUTE: 60, HOUR: 24 };

function arg(site: CallSite, index: number): Operand {
  return site.args[index] as Operand;
}

function unitOf(of: Operand): string {
  const value = of.constant?.value;
  return typeof value === 'string' ? value : '';
}

/** A long, from an expression that is a small integer. */
function longResult({ emitter, types }: CallSite, expression: Code): Operand {
  const value = emitter.bind(emitter.mode === 'wide' ? code`BigInt(${expression})` : code`${expression} + 0`);
  return operand({ type: types.result, value });
}

/** The field of a time or timestamp in milliseconds; null for those of the calendar. */
function fieldOf(site: CallSite, unit: string, time: Operand): Operand | null {
  const ms = valueOf(time);
  if (unit === 'EPOCH') return longResult(site, code`Math.floor(${ms} / 1000)`);
  const size = MS_PER_UNIT[unit];
  const count = UNITS_PER_NEXT[unit];
  if (size === undefined || count === undefined) return null;
  const units = site.emitter.bind(code`Math.floor(${ms} / ${size})`);
  return longResult(site, code`(${units} - Math.floor(${units} / ${count}) * ${count})`);
}

const extract = (site: CallSite) => fieldOf(site, unitOf(arg(site, 0)), arg(site, 1));

const field = (unit: string) => (site: CallSite) => fieldOf(site, unit, arg(site, 0));

const floored = (timeIndex: number, unitIndex: number) => (site: CallSite) => {
  const size = MS_PER_UNIT[unitOf(arg(site, unitIndex))];
  if (size === undefined) return null;
  const { emitter, types } = site;
  const ms = valueOf(arg(site, timeIndex));
  // A day at the limits of timestamps begins within them, too.
  return operand({ type: types.result, value: emitter.bind(code`Math.floor(${ms} / ${size}) * ${size}`) });
};

const plusMilliseconds = (site: CallSite) => {
  const { emitter, types } = site;
  if (emitter.mode === 'wide') return null;
  const value = emitter.bind(code`${valueOf(arg(site, 0))} + ${valueOf(arg(site, 1))}`);
  const limit = code`${MAX_TIMESTAMP_MS}`;
  emitter.line(code`if (!(${value} <= ${limit} && ${value} >= -${limit})) {\n${failAsInterpreter(site)}\n}`);
  return operand({ type: types.result, value });
};

const milliseconds = (site: CallSite) => longResult(site, valueOf(arg(site, 0)));

const partial = (emit: (site: CallSite) => Operand | null): CallEmitter => ({ emit, total: false });

export const timeEmitters: readonly [string, CallEmitter][] = [
  ['extract(string,timestamp)', partial(extract)],
  ['extract(string,time)', partial(extract)],
  ['hour(timestamp)', partial(field('HOUR'))],
  ['hour(time)', partial(field('HOUR'))],
  ['minute(timestamp)', partial(field('MINUTE'))],
  ['minute(time)', partial(field('MINUTE'))],
  ['second(timestamp)', partial(field('SECOND'))],
  ['second(time)', partial(field('SECOND'))],
  ['date_trunc(string,timestamp)', partial(floored(1, 0))],
  ['floor(timestamp,string)', partial(floored(0, 1))],
  ['timestamp_add(timestamp,long)', partial(plusMilliseconds)],
  ['to_epoch_millis(timestamp)', partial(milliseconds)],
];
