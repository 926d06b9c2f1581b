import { logVerbosity, Server, setLogVerbosity } from '@grpc/grpc-js';
import { messageOf } from '../../core/index.ts';
import type { Clock } from '../../core/index.ts';
import { rpcErrors } from '../errors.ts';
import { gatewayStub } from '../gateway-methods.ts';
import { inProcessTransport } from '../in-process-transport.ts';
import { ServedGateways } from '../served-gateways.ts';
import type { GatewayKind, Gateways, RpcTransport, ServedGateway } from '../transport.ts';
import { formatProcessAddress, splitAddress } from './address.ts';
import { CallReceiver } from './call-receiver.ts';
import type { CallStream } from './call-receiver.ts';
import { channelOptions, controlPlane } from './control-plane.ts';
import { serverCredentials } from './credentials.ts';
import { Peers } from './peers.ts';
import { encodePlainData } from './plain-data.ts';
import { protocolVersions } from './protocol-versions.ts';
import type { GrpcTls, GrpcTransport, GrpcTransportOptions } from './transport-options.ts';

const CALL_TIMEOUT_MS = 10_000;
/** For answers that are on their way when a transport is closed. */
const CLOSE_GRACE_MS = 1000;

// It writes to standard error what the errors say that callers get.
setLogVerbosity(logVerbosity.NONE);

/** Listens; see openGrpcTransport. */
export async function listenGrpc(options: GrpcTransportOptions): Promise<GrpcTransport> {
  const { listen, advertisedHost, advertisedPort, token, tls, ports, processId } = options;
  const versions = options.versions ?? protocolVersions;
  const callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
  const served = new ServedGateways();
  let address = formatProcessAddress(listen);
  const receiver = new CallReceiver({ processId, address: () => address, token, versions, served });
  const server = new Server({ ...channelOptions, 'grpc.enable_channelz': 0 });
  server.addService(controlPlane, { Connect: (stream: CallStream) => receiver.accept(stream) });
  const port = await bind(server, address, tls);
  address = formatProcessAddress({ host: advertisedHost ?? listen.host, port: advertisedPort ?? port });
  const peers = new Peers({ processId, token, versions, tls, ports, callTimeoutMs });
  return new ListeningTransport(address, served, peers, async () => {
    receiver.close();
    await shutDown(server, ports.clock);
  });
}

class ListeningTransport implements GrpcTransport {
  readonly address: string;
  readonly #served: ServedGateways;
  /** To gateways of this process itself. */
  readonly #local: RpcTransport;
  readonly #peers: Peers;
  readonly #stopListening: () => Promise<void>;
  #closing: Promise<void> | null = null;

  constructor(address: string, served: ServedGateways, peers: Peers, stopListening: () => Promise<void>) {
    this.address = address;
    this.#served = served;
    this.#local = inProcessTransport(served);
    this.#peers = peers;
    this.#stopListening = stopListening;
  }

  serve<Kind extends GatewayKind>(kind: Kind, name: string, gateway: Gateways[Kind]): ServedGateway {
    const inProcess = this.#served.serve(kind, name, gateway);
    return { address: `${this.address}/${name}`, withdraw: () => inProcess.withdraw() };
  }

  connect<Kind extends GatewayKind>(kind: Kind, address: string): Gateways[Kind] {
    const target = splitAddress(address);
    if (target.process === this.address) return this.#local.connect(kind, target.name);
    return gatewayStub(kind, (method, message) => {
      const body = encodePlainData(message);
      const { epoch } = message as { readonly epoch: number };
      return this.#peers.to(target.process).call({ gateway: kind, name: target.name, method, epoch, body });
    });
  }

  watch(address: string, onGone: (reason: string) => void): () => void {
    const target = splitAddress(address);
    if (target.process === this.address) return this.#local.watch(target.name, onGone);
    return this.#peers.watch(target.process, onGone);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#served.clear();
    this.#peers.close('this process is ending');
    await this.#stopListening();
  }
}

function bind(server: Server, address: string, tls: GrpcTls | null): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => {
      server.forceShutdown();
      reject(rpcErrors.create('MR-RPC-LISTEN', { address, reason: messageOf(error) }, error));
    };
    try {
      server.bindAsync(address, serverCredentials(tls), (error, port) => {
        if (error === null) resolve(port);
        else failed(error);
      });
    } catch (error) {
      failed(error);
    }
  });
}

/** Lets what is on its way arrive, for a while. */
function shutDown(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.schedule(CLOSE_GRACE_MS, () => {
      server.forceShutdown();
      resolve();
    });
    server.tryShutdown(() => {
      timer.cancel();
      resolve();
    });
  });
}
