import type { Ports } from '../../core/index.ts';
import type { RpcTransport } from '../transport.ts';
import type { ProtocolVersions } from './protocol-versions.ts';

/** Mutual TLS: what this process shows, as a server and as a client, and who must have signed what others show. PEM. */
export interface GrpcTls {
  /** Names the host under which others call this process. */
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface GrpcTransportOptions {
  /** Port 0: any that is free. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The host under which others reach this process, where that is not `listen.host`. */
  readonly advertisedHost?: string;
  /** The port that goes with it, where something forwards it to the port of `listen`. */
  readonly advertisedPort?: number;
  /** The same in all processes of a cluster; null: whoever can connect may call. */
  readonly token: string | null;
  /** Null: plain text. */
  readonly tls: GrpcTls | null;
  readonly ports: Pick<Ports, 'clock' | 'network'>;
  /** After which a call without an answer rejects. 10 s by default. */
  readonly callTimeoutMs?: number;
  /** Made by chance at the start of this process, of printable ASCII: another process never has it. */
  readonly processId: string;
  /** Of the protocol; what this release speaks by default. */
  readonly versions?: ProtocolVersions;
}

/** Gateways of other processes, and this one's for them. */
export interface GrpcTransport extends RpcTransport {
  /** `host:port`: where others reach this process. Addresses of its gateways are `host:port/<name>`. */
  readonly address: string;
  /**
   * Ends all connections. Calls without an answer reject, and so do all later ones; watches end without being called
   * back. Resolves once nothing listens any more. Harmless when repeated.
   */
  close(): Promise<void>;
}
