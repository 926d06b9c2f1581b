import { Client, status } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../core/index.ts';
import { parseProcessAddress } from './address.ts';
import { channelOptions, controlPlane } from './control-plane.ts';
import type { AnswerFrame, CallFrame, ReplyFrame, WelcomeFrame } from './control-plane.ts';
import { clientCredentials } from './credentials.ts';
import { writeGreeting } from './greeting.ts';
import type { Greeting } from './greeting.ts';
import type { GrpcTls } from './transport-options.ts';

export interface ConnectionEnd {
  readonly reason: string;
  /** The other side answered, and does not want this caller. */
  readonly refusal: 'token' | 'version' | null;
}

/** Called in this order: opened at most once, closed once. */
export interface ConnectionListener {
  opened(welcome: WelcomeFrame): void;
  answered(answer: AnswerFrame): void;
  closed(end: ConnectionEnd): void;
}

export interface ConnectionOptions {
  readonly greeting: Greeting;
  readonly tls: GrpcTls | null;
  readonly clock: Clock;
  /** How long the other side may take to greet. */
  readonly timeoutMs: number;
}

const refusals = new Map<status, ConnectionEnd['refusal']>([
  [status.UNAUTHENTICATED, 'token'],
  [status.FAILED_PRECONDITION, 'version'],
]);

/** One stream over a TCP connection of its own. It starts to connect at once, and never connects again. */
export class Connection {
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<CallFrame, ReplyFrame>;
  readonly #listener: ConnectionListener;
  readonly #timer: { cancel(): void };
  #state: 'connecting' | 'open' | 'closed' = 'connecting';

  constructor({ greeting, tls, clock, timeoutMs }: ConnectionOptions, listener: ConnectionListener) {
    this.#listener = listener;
    const { credentials, options } = clientCredentials(tls, parseProcessAddress(greeting.address)?.host ?? '');
    this.#client = new Client(`dns:${greeting.address}`, credentials, {
      ...channelOptions,
      ...options,
      // What is shared between channels would tie connections together that must not know of each other.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
    });
    const { path, requestSerialize, responseDeserialize } = controlPlane['Connect'] as (typeof controlPlane)[string];
    this.#stream = this.#client.makeBidiStreamRequest<CallFrame, ReplyFrame>(
      path,
      requestSerialize,
      responseDeserialize as (bytes: Buffer) => ReplyFrame,
      writeGreeting(greeting),
    );
    this.#stream.on('data', (reply: ReplyFrame) => this.#take(reply));
    this.#stream.on('error', ({ code, details }: ServiceError) =>
      this.#end({ reason: details, refusal: refusals.get(code) ?? null }),
    );
    this.#stream.on('end', () => this.#end({ reason: 'it has closed the connection', refusal: null }));
    this.#timer = clock.schedule(timeoutMs, () =>
      this.#end({ reason: `it did not greet within ${timeoutMs} ms`, refusal: null }),
    );
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Only once it is open. */
  send(call: CallFrame): void {
    this.#stream.write(call);
  }

  close(reason: string): void {
    this.#end({ reason, refusal: null });
  }

  #take({ welcome, answer }: ReplyFrame): void {
    if (this.#state === 'connecting' && welcome !== undefined) {
      this.#state = 'open';
      this.#timer.cancel();
      this.#listener.opened(welcome);
    } else if (this.#state === 'open' && answer !== undefined) {
      this.#listener.answered(answer);
    }
  }

  #end(end: ConnectionEnd): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#timer.cancel();
    this.#stream.cancel();
    this.#client.close();
    this.#listener.closed(end);
  }
}
