/** What leaders and TaskManagers tell others, as JSON. */
import { readShape, shape, type Shape } from '../core/index.ts';
import type { LeaderInfo, TaskManagerAnnouncement } from './high-availability.ts';
import { parseJson } from './parse-json.ts';

const { fields, integer, nullable, text } = shape;

const leaderShape: Shape<LeaderInfo> = fields({
  dispatcherId: text,
  rpcAddress: text,
  restUrl: text,
  epoch: integer(0),
});

const taskManagerShape: Shape<TaskManagerAnnouncement> = fields({
  taskManagerId: text,
  address: text,
  slotCount: integer(0),
  rack: nullable(text),
  host: nullable(text),
});

/** Null for what cannot be read, as for what is not there: both only mean that nobody can be found that way. */
export function readLeader(bytes: Uint8Array): LeaderInfo | null {
  return readAs(leaderShape, bytes);
}

export function readTaskManager(bytes: Uint8Array): TaskManagerAnnouncement | null {
  return readAs(taskManagerShape, bytes);
}

export function toJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function readAs<T>(expected: Shape<T>, bytes: Uint8Array): T | null {
  const reading = readShape(expected, parseJson(bytes));
  return reading.kind === 'read' ? reading.value : null;
}

/** Calls back with the first value and then with each that differs from the one before. */
export class Distinct<T> {
  readonly #onChange: (value: T) => void;
  #last: string | null = null;

  constructor(onChange: (value: T) => void) {
    this.#onChange = onChange;
  }

  set(value: T): void {
    const now = JSON.stringify(value);
    if (now === this.#last) return;
    this.#last = now;
    this.#onChange(value);
  }
}
