/**
 * One connection to one broker: framing, correlation and time limits of requests, versions, login.
 *
 * Kafka's frames are a size (int32) and that many bytes, which begin with the correlation id (int32) of the request
 * that they answer. A broker answers the requests of one connection in their order. Answers are read straight into the
 * memory that the request's `allocate` gives: see docs/design/005-kafka-client.md for what that saves.
 */
import {
  isMillraceError,
  type DirectSocket,
  type DirectSocketHandler,
  type Ports,
  type Timer,
  type TlsSettings,
} from '../../../core/index.ts';
import { kafkaErrors } from '../errors.ts';
import type { SaslConfig } from './client.ts';
import {
  KafkajsSaslAuthenticator,
  kafkajsRequests,
  silentKafkajsLogger,
  type ApiVersions,
  type KafkajsProtocol,
} from './kafkajs-internals.ts';
import { requiredApis } from './required-apis.ts';

export interface ConnectionConfig {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly tls: TlsSettings | null;
  readonly sasl: SaslConfig | null;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** A request without its header, in parts that are sent one after the other. */
export interface RawRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly body: readonly Uint8Array[];
  /** How long the broker itself may wait, on top of the connection's time limit. */
  readonly waitMs?: number;
  readonly allocate?: (sizeBytes: number) => Uint8Array;
}

export interface RawResponse {
  /** What allocate() gave. */
  readonly data: Uint8Array;
  /** The answer lies at data[BODY_START .. sizeBytes). */
  readonly sizeBytes: number;
}

/** Behind the correlation id. */
export const BODY_START = 4;

/** Larger than any answer that we ask for; smaller than the first bytes of TLS or HTTP read as a size. */
const MAX_RESPONSE_BYTES = 320 * 1024 * 1024;
/** Log in anew when so much of a session has passed (KIP-368). */
const SESSION_SHARE = 0.8;

interface DecodedVersions {
  readonly errorCode: number;
  readonly apiVersions: readonly {
    readonly apiKey: number;
    readonly minVersion: number;
    readonly maxVersion: number;
  }[];
}

interface Pending {
  readonly correlationId: number;
  readonly deadlineMs: number;
  readonly allocate: (sizeBytes: number) => Uint8Array;
  readonly resolve: (response: RawResponse) => void;
  readonly reject: (error: Error) => void;
}

const allocateFresh = (sizeBytes: number): Uint8Array => Buffer.allocUnsafeSlow(sizeBytes);

export class Connection implements DirectSocketHandler {
  readonly #config: ConnectionConfig;
  readonly #ports: Ports;
  readonly #header = new Uint8Array(4);
  #headerBytes = 0;
  #body: Uint8Array | null = null;
  #bodySize = 0;
  #bodyBytes = 0;
  #socket: DirectSocket | null = null;
  #failure: Error | null = null;
  #nextCorrelationId = 0;
  readonly #pending: Pending[] = [];
  #timer: Timer | null = null;
  #sessionEndsMs = Infinity;
  #answers = 0;
  #versions: ApiVersions | null = null;

  private constructor(config: ConnectionConfig, ports: Ports) {
    this.#config = config;
    this.#ports = ports;
  }

  /** Connects, checks that the broker speaks our versions, and logs in. */
  static async open(config: ConnectionConfig, ports: Ports): Promise<Connection> {
    const connection = new Connection(config, ports);
    const timer = ports.clock.schedule(config.connectTimeoutMs, () => {
      connection.#fail(connection.#unreachable(`no answer within ${config.connectTimeoutMs} ms`));
    });
    try {
      await connection.#open();
      return connection;
    } catch (error) {
      connection.#fail(error instanceof Error ? error : new Error(String(error)));
      throw connection.#failure ?? error;
    } finally {
      timer.cancel();
    }
  }

  get address(): string {
    return `${this.#config.host}:${this.#config.port}`;
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  /** True when the broker will soon want a new login: open another connection, once this one has no requests. */
  get isSessionEnding(): boolean {
    return this.#ports.clock.monotonicMs() >= this.#sessionEndsMs;
  }

  /** Sends a request; rejects when the connection breaks or the answer takes too long. */
  send(request: RawRequest): Promise<RawResponse> {
    const { body } = request;
    const correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = (correlationId + 1) & 0x7fffffff;
    const header = this.#requestHeader(request, correlationId);
    return new Promise((resolve, reject) => {
      if (this.#failure !== null || this.#socket === null) {
        reject(this.#failure ?? this.#unreachable('not connected'));
        return;
      }
      const waitMs = this.#config.requestTimeoutMs + (request.waitMs ?? 0);
      const deadlineMs = this.#ports.clock.monotonicMs() + waitMs;
      this.#pending.push({ correlationId, deadlineMs, allocate: request.allocate ?? allocateFresh, resolve, reject });
      this.#socket.write([header, ...body]);
      this.#watch();
    });
  }

  /** Sends a request that kafkajs encodes and decodes; errors in the answer are left to the caller. */
  async call(protocol: KafkajsProtocol): Promise<unknown> {
    const { request, response } = protocol;
    this.#checkVersion(request.apiName, request.apiKey, request.apiVersion);
    const encoded = (await request.encode()).buffer;
    const { data, sizeBytes } = await this.send({
      apiKey: request.apiKey,
      apiVersion: request.apiVersion,
      body: [encoded],
    });
    const payload = Buffer.from(data.buffer, data.byteOffset + BODY_START, sizeBytes - BODY_START);
    try {
      return await response.decode(payload);
    } catch (error) {
      throw this.#protocol(`answer to ${request.apiName}: ${messageOf(error)}`, error);
    }
  }

  close(error: Error = kafkaErrors.create('MR-KAFKA-CLOSED', {})): void {
    this.#fail(error);
  }

  buffer(): Uint8Array {
    return this.#body === null
      ? this.#header.subarray(this.#headerBytes)
      : this.#body.subarray(this.#bodyBytes, this.#bodySize);
  }

  received(count: number): void {
    // A callback of the socket: nothing may be thrown from here.
    try {
      if (this.#body === null) this.#receivedHeader(count);
      else this.#receivedBody(count);
    } catch (error) {
      this.#fail(this.#protocol(messageOf(error), error));
    }
  }

  closed(error: Error | null): void {
    const reason = error === null ? 'the broker closed the connection' : describeSocketError(error);
    this.#fail(this.#unreachable(`${reason}${this.#hint()}`, error));
  }

  /** A broker that wants TLS or a login closes connections without a word. */
  #hint(): string {
    const { tls, sasl } = this.#config;
    if (this.#answers === 0 && tls === null) return ' before it said anything; does its listener want `tls`?';
    if (this.#answers === 1 && sasl === null) return ' before it answered; does its listener want `sasl`?';
    return '';
  }

  async #open(): Promise<void> {
    await this.#connect();
    await this.#negotiate();
    if (this.#config.sasl !== null) await this.#login(this.#config.sasl);
  }

  async #connect(): Promise<void> {
    const { host, port, tls, connectTimeoutMs } = this.#config;
    const { network } = this.#ports;
    if (network.connectDirect === undefined) throw new TypeError('this network has no direct sockets');
    try {
      const socket = await network.connectDirect({ host, port, timeoutMs: connectTimeoutMs, tls }, this);
      if (this.#failure !== null) {
        socket.close();
        throw this.#failure;
      }
      this.#socket = socket;
    } catch (error) {
      if (isMillraceError(error)) throw error;
      const reason = error instanceof Error ? describeSocketError(error) : String(error);
      if (tls !== null && isTlsError(error)) {
        throw kafkaErrors.create('MR-KAFKA-TLS', { broker: this.address, reason }, error);
      }
      throw this.#unreachable(reason, error);
    }
  }

  async #negotiate(): Promise<void> {
    const decoded = (await this.call(kafkajsRequests.ApiVersions.protocol({ version: 0 })({}))) as DecodedVersions;
    if (decoded.errorCode !== 0) throw this.#protocol(`ApiVersions was answered with error ${decoded.errorCode}`);
    this.#versions = Object.fromEntries(decoded.apiVersions.map((range) => [range.apiKey, range]));
    for (const { name, apiKey, version } of requiredApis) this.#checkVersion(name, apiKey, version);
  }

  #checkVersion(name: string, apiKey: number, version: number): void {
    // Nothing is known before the first answer, to a request that every broker understands.
    if (this.#versions === null) return;
    const range = this.#versions[apiKey];
    if (range !== undefined && range.minVersion <= version && version <= range.maxVersion) return;
    const has = range === undefined ? 'none' : `${range.minVersion} to ${range.maxVersion}`;
    throw kafkaErrors.create('MR-KAFKA-VERSION', { broker: this.address, api: name, version, range: has });
  }

  async #login(sasl: SaslConfig): Promise<void> {
    const authenticator = new KafkajsSaslAuthenticator(
      {
        host: this.#config.host,
        port: this.#config.port,
        sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password },
        send: async (protocol) => protocol.response.parse(await this.call(protocol)),
      },
      silentKafkajsLogger,
      this.#versions ?? {},
      true,
    );
    try {
      await authenticator.authenticate();
    } catch (error) {
      // A connection that broke says nothing about the password.
      if (this.#failure !== null) throw this.#failure;
      const reason = messageOf(error);
      const fields = { broker: this.address, user: sasl.username, mechanism: sasl.mechanism, reason };
      throw kafkaErrors.create('MR-KAFKA-AUTHENTICATION', fields, error);
    }
    const lifetimeMs = Number(authenticator.sessionLifetime);
    if (lifetimeMs > 0) this.#sessionEndsMs = this.#ports.clock.monotonicMs() + lifetimeMs * SESSION_SHARE;
  }

  #requestHeader(request: RawRequest, correlationId: number): Uint8Array {
    const clientId = Buffer.from(this.#config.clientId);
    const header = Buffer.allocUnsafe(14 + clientId.length);
    let sizeBytes = header.length - 4;
    for (const part of request.body) sizeBytes += part.length;
    header.writeInt32BE(sizeBytes, 0);
    header.writeInt16BE(request.apiKey, 4);
    header.writeInt16BE(request.apiVersion, 6);
    header.writeInt32BE(correlationId, 8);
    header.writeInt16BE(clientId.length, 12);
    header.set(clientId, 14);
    return header;
  }

  #receivedHeader(count: number): void {
    this.#headerBytes += count;
    if (this.#headerBytes < 4) return;
    this.#headerBytes = 0;
    const [a, b, c, d] = this.#header as unknown as [number, number, number, number];
    const size = (a << 24) | (b << 16) | (c << 8) | d;
    const head = this.#pending[0];
    if (head === undefined) throw new Error('an answer without a request');
    if (size < BODY_START || size > MAX_RESPONSE_BYTES) throw new Error(`an answer of ${size >>> 0} bytes`);
    this.#body = head.allocate(size);
    this.#bodySize = size;
    this.#bodyBytes = 0;
  }

  #receivedBody(count: number): void {
    this.#bodyBytes += count;
    if (this.#bodyBytes < this.#bodySize) return;
    const data = this.#body as Uint8Array;
    this.#body = null;
    const head = this.#pending.shift() as Pending;
    const [a, b, c, d] = data as unknown as [number, number, number, number];
    const correlationId = (a << 24) | (b << 16) | (c << 8) | d;
    if (correlationId !== head.correlationId) {
      const error = this.#protocol(`an answer to request ${correlationId} instead of ${head.correlationId}`);
      head.reject(error);
      throw error;
    }
    this.#answers++;
    head.resolve({ data, sizeBytes: this.#bodySize });
    this.#watch();
  }

  /** Sets the clock on the oldest request. */
  #watch(): void {
    if (this.#timer !== null) return;
    const head = this.#pending[0];
    if (head === undefined || this.#failure !== null) return;
    const delayMs = Math.max(1, head.deadlineMs - this.#ports.clock.monotonicMs());
    this.#timer = this.#ports.clock.schedule(delayMs, () => {
      this.#timer = null;
      const oldest = this.#pending[0];
      if (oldest !== undefined && oldest.deadlineMs <= this.#ports.clock.monotonicMs()) {
        this.#fail(this.#unreachable(`no answer within ${this.#config.requestTimeoutMs} ms`));
      } else this.#watch();
    });
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#timer?.cancel();
    this.#timer = null;
    this.#socket?.close();
    this.#body = null;
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }

  #unreachable(reason: string, cause?: unknown): Error {
    return kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers: this.address, reason }, cause);
  }

  #protocol(reason: string, cause?: unknown): Error {
    if (isMillraceError(cause)) return cause;
    return kafkaErrors.create('MR-KAFKA-PROTOCOL', { broker: this.address, reason }, cause);
  }
}

/** Errors of the system, which say nothing about TLS. */
const NETWORK_ERRORS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ECONNRESET',
  'EPIPE',
]);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A socket that tried several addresses has an AggregateError without a message. */
function describeSocketError(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error.message;
}

function isTlsError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return !NETWORK_ERRORS.has(String(error.code));
}
