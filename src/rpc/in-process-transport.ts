import { deserializeError, serializeError } from '../core/index.ts';
import { rpcErrors } from './errors.ts';
import type { GatewayKind, Gateways, RpcTransport } from './transport.ts';

type Method = (message: unknown) => Promise<unknown>;

/** The methods of every gateway: what a connection offers. */
const methods = {
  'task-manager': [
    'deploy',
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
  'resource-manager': ['registerTaskManager', 'unregisterTaskManager'],
} as const satisfies { readonly [Kind in GatewayKind]: readonly (keyof Gateways[Kind])[] };

/**
 * Gateways within one process. Messages are structured clones, taken when the call is made, and arrive later than
 * the call returns, as they would from another machine.
 */
export function inProcessTransport(): RpcTransport {
  const served = new Map<string, object>();
  return {
    serve(kind, address, gateway) {
      const key = `${kind} ${address}`;
      served.set(key, gateway);
      return () => {
        if (served.get(key) === gateway) served.delete(key);
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
