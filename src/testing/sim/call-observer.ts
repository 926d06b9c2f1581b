import type { CheckpointAcknowledgement, TaskStateChange } from '../../rpc/index.ts';
import type { Break } from './breaks.ts';
import type { Invariants } from './invariants.ts';
import type { DeliveredCall, RpcObserver, SimulatedRpc } from './rpc.ts';

/** Shows every call to the invariants; some are changed where something is broken on purpose. */
export class CallObserver implements RpcObserver {
  readonly #invariants: Invariants;
  readonly #broken: Break | null;
  /** By gateway: the newest epoch that it has seen. */
  readonly #newest = new Map<string, number>();
  rpc: SimulatedRpc | null = null;

  constructor(invariants: Invariants, broken: Break | null) {
    this.#invariants = invariants;
    this.#broken = broken;
  }

  arriving(call: DeliveredCall): unknown {
    const { from, method, message } = call;
    const isAcknowledgement = method === 'acknowledgeCheckpoint';
    if (this.#broken === 'swallowed-reports' && isAcknowledgement && from.host === 't1') return null;
    if (this.#broken === 'early-commit' && isAcknowledgement) this.#commitEarly(call);
    if (this.#broken === 'final-failures' && method === 'taskStateChanged') return asFinal(message as TaskStateChange);
    return this.#broken === 'ignored-epoch' ? this.#withNewestEpoch(call) : message;
  }

  accepted(call: DeliveredCall): void {
    this.#invariants.accepted(call);
  }

  #withNewestEpoch({ to, name, message }: DeliveredCall): unknown {
    const { epoch } = message as { readonly epoch: number };
    const gateway = `${to.name}/${name}`;
    const newest = Math.max(epoch, this.#newest.get(gateway) ?? 0);
    this.#newest.set(gateway, newest);
    return { ...(message as object), epoch: newest };
  }

  #commitEarly({ from, message }: DeliveredCall): void {
    const { epoch, jobId, attemptId, checkpointId } = message as CheckpointAcknowledgement;
    from.perform(() => {
      const gateway = this.rpc?.gatewayOf(from, 'task-manager');
      gateway?.checkpointCompleted({ epoch, jobId, attemptId, checkpointId }).catch(() => undefined);
    });
  }
}

function asFinal(change: TaskStateChange): TaskStateChange {
  return change.error === null ? change : { ...change, error: { ...change.error, retry: 'never' } };
}
