export { openGrpcTransport } from './open-grpc-transport.ts';
export type { ProtocolVersions } from './protocol-versions.ts';
export type { GrpcTls, GrpcTransport, GrpcTransportOptions } from './transport-options.ts';
