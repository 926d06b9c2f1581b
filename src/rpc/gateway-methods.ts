import type { GatewayKind, Gateways } from './transport.ts';

/** How every method of a gateway looks to a transport. */
export type GatewayMethod = (message: unknown) => Promise<unknown>;

/** The methods of every gateway: what a connection offers, and all that may be called from elsewhere. */
const gatewayMethods = {
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
  'job-code': ['readCode'],
  'process-log': ['readLog'],
} as const satisfies { readonly [Kind in GatewayKind]: readonly (keyof Gateways[Kind])[] };

/** Where somebody asks for it who may be of another version, or not one of us. */
export function isGatewayMethod(kind: string, method: string): boolean {
  const methods: readonly string[] = Object.hasOwn(gatewayMethods, kind) ? gatewayMethods[kind as GatewayKind] : [];
  return methods.includes(method);
}

/** A gateway whose methods do `call`. */
export function gatewayStub<Kind extends GatewayKind>(
  kind: Kind,
  call: (method: string, message: unknown) => Promise<unknown>,
): Gateways[Kind] {
  const stub: Record<string, GatewayMethod> = {};
  for (const method of gatewayMethods[kind]) stub[method] = (message) => call(method, message);
  return stub as unknown as Gateways[Kind];
}
