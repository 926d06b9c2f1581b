import type { JobMasterGateway, ResourceManagerGateway, TaskManagerGateway } from './gateways.ts';

/** The gateways that a process can serve, by kind. */
export interface Gateways {
  readonly 'task-manager': TaskManagerGateway;
  readonly 'job-master': JobMasterGateway;
  readonly 'resource-manager': ResourceManagerGateway;
}

export type GatewayKind = keyof Gateways;

/**
 * How gateways reach each other. Messages are copied; calls to one address arrive in the order in which they were
 * made; a call rejects where the receiver threw, with the same code, or where nothing is served (any more).
 */
export interface RpcTransport {
  /** Serves `gateway` at `address` until the returned function is called. */
  serve<Kind extends GatewayKind>(kind: Kind, address: string, gateway: Gateways[Kind]): () => void;
  /** A gateway at an address; does not check that anything is served there. */
  connect<Kind extends GatewayKind>(kind: Kind, address: string): Gateways[Kind];
}
