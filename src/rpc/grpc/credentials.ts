import { checkServerIdentity } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import type { ChannelOptions } from '@grpc/grpc-js';
import type { GrpcTls } from './transport-options.ts';

export function serverCredentials(tls: GrpcTls | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  return ServerCredentials.createSsl(Buffer.from(tls.ca), [pair], true);
}

export interface ClientCredentials {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/** For connections to one host, whose certificate has to bear its name or address. */
export function clientCredentials(tls: GrpcTls | null, host: string): ClientCredentials {
  if (tls === null) return { credentials: ChannelCredentials.createInsecure(), options: {} };
  const credentials = ChannelCredentials.createSsl(Buffer.from(tls.ca), Buffer.from(tls.key), Buffer.from(tls.cert), {
    checkServerIdentity: (_host, certificate) => checkServerIdentity(host, certificate),
  });
  // gRPC would ask for an address by the extension that is for names, of which Node warns on standard error.
  return { credentials, options: isAddress(host) ? { 'grpc.ssl_target_name_override': 'millrace.invalid' } : {} };
}

function isAddress(host: string): boolean {
  return host.includes(':') || /^[\d.]+$/.test(host);
}
