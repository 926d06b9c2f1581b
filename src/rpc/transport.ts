import type {
  JobCodeGateway,
  JobMasterGateway,
  ProcessLogGateway,
  ResourceManagerGateway,
  TaskManagerGateway,
} from './gateways.ts';

/** The gateways that a process can serve, by kind. */
export interface Gateways {
  readonly 'task-manager': TaskManagerGateway;
  readonly 'job-master': JobMasterGateway;
  readonly 'resource-manager': ResourceManagerGateway;
  readonly 'job-code': JobCodeGateway;
  readonly 'process-log': ProcessLogGateway;
}

export type GatewayKind = keyof Gateways;

/** A gateway that is served. */
export interface ServedGateway {
  /** Where others reach it. */
  readonly address: string;
  /** Nothing is served there any more. Harmless when repeated. */
  withdraw(): void;
}

/**
 * How gateways reach each other. Messages are copied; calls from one place to one address arrive in the order in which
 * they were made; a call rejects where the receiver threw, with the same code, or with MR-RPC-UNREACHABLE where nothing
 * is served (any more), the connection breaks before the answer, or no answer comes in time: its field `outcome` is
 * `unknown` where it may have been carried out, or will be yet, and `none` where it certainly is not. Between processes
 * also with MR-RPC-TOO-LARGE, and where the other one refuses this one: MR-RPC-UNAUTHORIZED, MR-RPC-VERSION,
 * MR-RPC-NO-METHOD. Throws at once what is not plain data (DataCloneError).
 */
export interface RpcTransport {
  /** Serves `gateway` under a name that is unique in this process, such as `jobmaster/<jobId>`. */
  serve<Kind extends GatewayKind>(kind: Kind, name: string, gateway: Gateways[Kind]): ServedGateway;
  /** A gateway at an address; does not check that anything is served there. */
  connect<Kind extends GatewayKind>(kind: Kind, address: string): Gateways[Kind];
  /**
   * Watches the process behind an address until the returned function is called. Calls back once, where the process is
   * known to be gone: the connection has closed and new ones are refused, or another process answers. Never because of
   * silence. In one process: where nothing is served at the address any more.
   */
  watch(address: string, onGone: (reason: string) => void): () => void;
}
