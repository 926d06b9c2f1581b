import type { Ports } from '../../core/index.ts';

export type LogLevel = 'info' | 'warn' | 'error';

/** What happened, in a few words that do not change, and to what. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export type RoleLog = (level: LogLevel, event: string, fields?: LogFields) => void;

/** Lines on standard error: `TIME LEVEL ROLE EVENT key=value …`, or the same as a JSON object each. */
export function roleLog(ports: Pick<Ports, 'clock' | 'streams'>, role: string, format: 'text' | 'json'): RoleLog {
  return (level, event, fields = {}) => {
    const time = new Date(ports.clock.nowMs()).toISOString();
    const line =
      format === 'json'
        ? JSON.stringify({ time, level, role, event, ...fields })
        : [time, level.toUpperCase().padEnd(5), role, event, ...Object.entries(fields).map(pair)].join(' ');
    ports.streams.writeError(`${line}\n`);
  };
}

/** Text with blanks or quotes stands in quotes, so that a line is one line and each pair one word. */
function pair([key, value]: readonly [string, string | number | boolean | null]): string {
  const text = String(value);
  return `${key}=${/^[\w./:@+,%-]+$/.test(text) ? text : JSON.stringify(text)}`;
}
