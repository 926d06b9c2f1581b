import { deserializeError, serializeError } from '../core/index.ts';
import { rpcErrors } from './errors.ts';
import type { GatewayKind, Gateways, RpcTransport } from './transport.ts';

type Method = (message: unknown) => Promise<unknown>;

/** The methods of every gateway: what a connection offers. */
const methods = {
  'task-manager': [
    'deploy',
    'adoptSlot',
    'addSplits',
    'noMoreSplits',
    'triggerCheckpoint',
    'checkpointCompleted',
    'checkpointAborted',
    'alignWatermark',
    'cancel',
    'freeSlot',
  ],
  'job-master': [
    'taskStateChanged',
    'acknowledgeCheckpoint',
    'declineCheckpoint',
    'checkpointCommitted',
    'taskEnded',
    'reportProgress',
  ],
  'resource-manager': ['registerTaskManager', 'heartbeat', 'unregisterTaskManager'],
} as const satisfies { readonly [Kind in GatewayKind]: readonly (keyof Gateways[Kind])[] };

/**
 * Gateways within one process. Messages are structured clones, taken when the call is made, and arrive later than
 * the call returns, as they would from another machine.
 */
export function inProcessTransport(): RpcTransport {
  const served = new Map<string, object>();
  const watchers = new Map<string, Set<(reason: string) => void>>();
  return {
    serve(kind, name, gateway) {
      const key = `${kind} ${name}`;
      served.set(key, gateway);
      return {
        address: name,
        withdraw() {
          if (served.get(key) !== gateway) return;
          served.delete(key);
          const told = watchers.get(name) ?? [];
          watchers.delete(name);
          for (const onGone of told) onGone(`nothing is served at ${name} any more`);
        },
      };
    },
    watch(address, onGone) {
      const all = watchers.get(address) ?? new Set();
      watchers.set(address, all.add(onGone));
      return () => {
        all.delete(onGone);
      };
    },
    connect<Kind extends GatewayKind>(kind: Kind, address: string): Gateways[Kind] {
      const stub: Record<string, Method> = {};
      for (const method of methods[kind]) {
        stub[method] = (message) => {
          const copy = structuredClone(message);
          return call(served, kind, address, method, copy);
        };
      }
      return stub as unknown as Gateways[Kind];
    },
  };
}

async function call(
  served: ReadonlyMap<string, object>,
  kind: GatewayKind,
  address: string,
  method: string,
  message: unknown,
): Promise<unknown> {
  await Promise.resolve();
  const gateway = served.get(`${kind} ${address}`);
  if (gateway === undefined) throw rpcErrors.create('MR-RPC-UNREACHABLE', { kind, address });
  try {
    return structuredClone(await ((gateway as Record<string, Method>)[method] as Method).call(gateway, message));
  } catch (error) {
    throw deserializeError(serializeError(error));
  }
}
