/**
 * Arrays by slot grow together, and all of them in one batch would be a long pause: 58 ms at half a million slots. So
 * they grow before there is need, one after the other, and the loop's other work has its turns in between.
 */
import type { Macrotasks } from '../../core/index.ts';
import type { KeyTable } from './key-table.ts';

/** So few grow at once: that takes a millisecond. */
const GROWN_AT_ONCE = 1 << 14;

/** Runs what makes one array after the other longer. */
export function growInTurns(
  parts: Iterator<void>,
  slotCount: number,
  macrotasks: Macrotasks,
): Promise<void> | undefined {
  if (slotCount > GROWN_AT_ONCE) return growSlowly(parts, macrotasks);
  while (parts.next().done !== true);
  return undefined;
}

async function growSlowly(parts: Iterator<void>, macrotasks: Macrotasks): Promise<void> {
  while (parts.next().done !== true) await macrotasks.yield();
}

/** Where all entries stay in memory: the slots that a table should have for `count` more keys; 0 where it has them. */
export function wantedSlots({ capacity, size }: Pick<KeyTable, 'capacity' | 'size'>, count: number): number {
  return capacity < GROWN_AT_ONCE || size + count <= capacity ? 0 : Math.max(size + count, capacity * 2);
}
