import type { GrpcTransport, GrpcTransportOptions } from './transport-options.ts';

/** Listens, and resolves once others can call. Rejects with MR-RPC-LISTEN where that is not possible. */
export async function openGrpcTransport(options: GrpcTransportOptions): Promise<GrpcTransport> {
  // Loaded late: most threads and commands import this room for its types, and need no gRPC.
  const { listenGrpc } = await import('./grpc-transport.ts');
  return await listenGrpc(options);
}
