import { schedulerErrors } from './errors.ts';

/** For each state, the states that may follow. */
export type TransitionTable<State extends string> = Readonly<Record<State, readonly State[]>>;

/** The next state, if the table allows the move; else MR-JOB-ILLEGAL-MOVE, which names both. */
export function move<State extends string>(
  table: TransitionTable<State>,
  what: string,
  from: State,
  to: State,
): State {
  if (!table[from].includes(to)) throw schedulerErrors.create('MR-JOB-ILLEGAL-MOVE', { what, from, to });
  return to;
}
