import { deserializeError, serializeError } from '../core/index.ts';
import { unreachable } from './errors.ts';
import { gatewayStub } from './gateway-methods.ts';
import { invoke, ServedGateways } from './served-gateways.ts';
import type { GatewayKind, RpcTransport } from './transport.ts';

/**
 * Gateways within one process. Messages are structured clones, taken when the call is made, and arrive later than
 * the call returns, as they would from another machine.
 */
export function inProcessTransport(served = new ServedGateways()): RpcTransport {
  return {
    serve: (kind, name, gateway) => served.serve(kind, name, gateway),
    watch: (address, onGone) => served.watch(address, onGone),
    connect: (kind, address) =>
      gatewayStub(kind, (method, message) => call(served, kind, address, method, structuredClone(message))),
  };
}

async function call(
  served: ServedGateways,
  kind: GatewayKind,
  address: string,
  method: string,
  message: unknown,
): Promise<unknown> {
  await Promise.resolve();
  const gateway = served.find(kind, address);
  if (gateway === null) throw unreachable(kind, address, 'nothing is served there', 'none');
  try {
    return structuredClone(await invoke(gateway, method, message));
  } catch (error) {
    throw deserializeError(serializeError(error));
  }
}
