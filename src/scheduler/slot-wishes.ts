import type { JobAttempt } from './job-attempt.ts';
import type { JobMasterOptions } from './job-master-options.ts';
import type { JobSlots, SlotWishes } from './job-slots.ts';
import { placeSubtasks, readsAcrossRacks } from './placement/place-subtasks.ts';
import { placeOf } from './placement/placement-request.ts';
import { slotsNeeded } from './slice-plan.ts';
import type { FreeSlot } from './slot-pool.ts';

/** Which slots an attempt that is prepared is to run in; it is told what they were chosen from. */
export function slotWishes(options: JobMasterOptions, attempt: JobAttempt, held: JobSlots): SlotWishes {
  const { previous: earlier } = held;
  const { graph, slotTimeoutMs: timeoutMs, localityWaitMs: patienceMs = 0 } = options;
  const { demands } = attempt;
  const count = slotsNeeded(graph);
  const wanted = { count, demands, previous: earlier.map(({ location }) => location) };
  const chosen = (slots: readonly FreeSlot[] | null, free: readonly FreeSlot[]) => {
    if (slots !== null) attempt.chosenFrom({ offered: free.map(placeOf), previous: wanted.previous });
    return slots;
  };
  const choose = (free: readonly FreeSlot[]) => chosen(placeSubtasks(wanted, free), free);
  const patient = (free: readonly FreeSlot[]) => {
    const slots = placeSubtasks(wanted, free);
    return slots === null || readsAcrossRacks(demands, slots) ? null : chosen(slots, free);
  };
  const where = 'in racks where its splits can be read';
  return { request: { count, choose }, patient: { count, where, choose: patient }, timeoutMs, patienceMs };
}
