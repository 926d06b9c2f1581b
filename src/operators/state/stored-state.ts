import type { OperatorState, StateChunk, StateSchema, StateSnapshot } from '../../core/index.ts';
import type { SpilledSlots } from './spilled-slots.ts';

/** Where an operator keeps all its entries. */
interface StateStore<Target> {
  readonly schema: StateSchema;
  readonly sizeBytes: number;
  readonly snapshots: { take(keyGroupCount: number): StateSnapshot };
  /** Where entries may leave memory. */
  readonly spilled?: SpilledSlots;
  /** Tells `target` of what comes back. */
  restore(chunk: StateChunk, written: StateSchema, keyGroupCount: number, target: Target): void;
}

interface StoreUse<Target> {
  readonly target: Target;
  /** Asked from open() on. */
  readonly keyGroupCount: () => number;
  /** What the operator holds beside the store. */
  readonly otherBytes?: () => number;
  /** Called after every chunk. */
  readonly onRestored?: () => void;
}

/** The state of an operator that has a store of its own. */
export function storedState<Target>(
  store: StateStore<Target>,
  { target, keyGroupCount, otherBytes, onRestored }: StoreUse<Target>,
): OperatorState {
  const { spilled } = store;
  return {
    schema: store.schema,
    get sizeBytes() {
      return store.sizeBytes + (otherBytes?.() ?? 0);
    },
    snapshot: (basis) =>
      spilled?.isOpen === true ? spilled.snapshot(basis) : store.snapshots.take(keyGroupCount()),
    restore(chunk, written) {
      store.restore(chunk, written, keyGroupCount(), target);
      onRestored?.();
    },
    settle: async () => {
      if (spilled?.isOpen === true) await spilled.settle();
    },
  };
}
