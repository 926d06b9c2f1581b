/** What the tasks of one slot remember: where it goes, and how much memory it may take. */
import { DEFAULT_DISK_BYTES, maySpill } from '../core/index.ts';
import type { Counter, OperatorState, Ports, SpillSpace } from '../core/index.ts';
import type { ChainNode } from '../graph/index.ts';
import type { SliceDescriptor } from '../rpc/index.ts';
import { spillSpace, stateErrors } from '../state/index.ts';

/** How often the memory is looked at, while there is work. */
const CHECK_INTERVAL_MS = 10;

export interface SlotStateOptions {
  readonly slice: SliceDescriptor;
  /** What the machine has for the state of a slot; null for no limit. */
  readonly machineBytes: number | null;
  /** Where files go that live no longer than the tasks; null where there is no such place. */
  readonly workDirectory: string | null;
  readonly ports: Ports;
}

/** One operator with state. */
export interface AccountedState {
  readonly stepId: string;
  readonly state: () => OperatorState | undefined;
  readonly counter: Counter;
}

/** The task that has to end: its step takes most of what is too much. */
export interface StateExcess {
  readonly stepId: string;
  readonly error: Error;
}

export class SlotState {
  readonly #options: SlotStateOptions;
  readonly #budgetBytes: number;
  /** Of one step whose entries may leave memory. */
  readonly #shareBytes: number;
  #checkedAtMs = -Infinity;

  constructor(options: SlotStateOptions) {
    this.#options = options;
    const { slice, machineBytes } = options;
    const { backend = 'memory', memoryBytes = null } = slice.state ?? {};
    const otherwise = backend === 'disk' ? DEFAULT_DISK_BYTES : (machineBytes ?? Infinity);
    this.#budgetBytes = memoryBytes ?? otherwise;
    const nodes = slice.tasks.flatMap(({ vertex }) => vertex.chain);
    this.#shareBytes = Math.floor(this.#budgetBytes / Math.max(1, nodes.filter(maySpill).length));
  }

  /** Where entries of an operator go that memory has no room for; null where they all stay. */
  spillOf(node: ChainNode, stepId: string, attemptId: string): SpillSpace | null {
    const { slice, workDirectory, ports } = this.#options;
    if (slice.state?.backend !== 'disk' || !maySpill(node)) return null;
    if (workDirectory === null) throw new Error('there is no directory for state on the disk');
    return spillSpace({
      directory: `${workDirectory}/${attemptId}-${stepId}`.replace(/[^A-Za-z0-9_/.-]/g, '_'),
      memoryBytes: this.#shareBytes,
      takesCheckpoints: slice.checkpointing !== null,
      ports,
    });
  }

  /** Looks at the memory, if it was not looked at just now. Returns what is too much. */
  check(states: Iterable<AccountedState>): StateExcess | null {
    const nowMs = this.#options.ports.clock.monotonicMs();
    if (nowMs - this.#checkedAtMs < CHECK_INTERVAL_MS) return null;
    this.#checkedAtMs = nowMs;
    let all = 0;
    let largest = { stepId: '', bytes: 0 };
    for (const { stepId, state, counter } of states) {
      const bytes = state()?.sizeBytes ?? 0;
      counter.value = bytes;
      all += bytes;
      if (bytes > largest.bytes) largest = { stepId, bytes };
    }
    if (all <= this.#budgetBytes) return null;
    const error = stateErrors.create('MR-STATE-OUT-OF-MEMORY', {
      step: largest.stepId,
      bytes: mebibytes(largest.bytes),
      all: mebibytes(all),
      budget: mebibytes(this.#budgetBytes),
    });
    return { stepId: largest.stepId, error };
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
