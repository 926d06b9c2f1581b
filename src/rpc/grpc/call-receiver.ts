import type { ServerDuplexStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { messageOf, serializeError } from '../../core/index.ts';
import { EpochFence } from '../epoch-fence.ts';
import { MAX_MESSAGE_BYTES, rpcErrors, tooLarge, unreachable } from '../errors.ts';
import { isGatewayMethod } from '../gateway-methods.ts';
import { invoke } from '../served-gateways.ts';
import type { ServedGateways } from '../served-gateways.ts';
import type { AnswerFrame, CallFrame, ReplyFrame } from './control-plane.ts';
import { isSameToken, readGreeting } from './greeting.ts';
import type { Greeting } from './greeting.ts';
import { decodePlainData, encodePlainData } from './plain-data.ts';
import { commonVersion } from './protocol-versions.ts';
import type { ProtocolVersions } from './protocol-versions.ts';

/** Callers that are remembered after their last connection has closed. */
const REMEMBERED_CALLERS = 4096;

export type CallStream = ServerDuplexStream<CallFrame, ReplyFrame>;

export interface CallReceiverOptions {
  readonly processId: string;
  /** As others know it; not yet known before it listens. */
  readonly address: () => string;
  /** Null: whoever connects may call. */
  readonly token: string | null;
  readonly versions: ProtocolVersions;
  readonly served: ServedGateways;
}

/** The receiving side of all connections of a process: lets callers in, and hands their calls to the gateways. */
export class CallReceiver {
  readonly #options: CallReceiverOptions;
  readonly #streams = new Set<CallStream>();
  /** The newest connection of each caller and address, also where it has closed. */
  readonly #newest = new Map<string, { readonly connection: number; readonly stream: CallStream }>();
  readonly #fences = new WeakMap<object, EpochFence>();

  constructor(options: CallReceiverOptions) {
    this.#options = options;
  }

  /** Called for every stream that is opened, before anything of it is read. */
  accept(stream: CallStream): void {
    const { processId, versions, token } = this.#options;
    // gRPC ends the stream after an error; what else there is to do is done here.
    const forget = (): boolean => this.#streams.delete(stream);
    stream.on('error', forget);
    stream.on('cancelled', forget);
    stream.on('close', forget);
    const greeting = readGreeting(stream.metadata);
    if (greeting === null) {
      refuse(stream, status.INVALID_ARGUMENT, 'the caller does not say who it is');
    } else if (token !== null && !isSameToken(token, greeting.token)) {
      const reason = greeting.token === null ? 'it wants a token' : 'it has another token';
      refuse(stream, status.UNAUTHENTICATED, reason);
    } else {
      const version = commonVersion(versions, greeting.versions);
      if (version === null) {
        const { oldest, newest } = versions;
        refuse(stream, status.FAILED_PRECONDITION, `it speaks versions ${oldest} to ${newest}`);
      } else if (this.#isNewest(greeting, stream)) {
        this.#streams.add(stream);
        stream.write({ welcome: { version, processId } });
        stream.on('data', (call: CallFrame) => {
          if (this.#streams.has(stream)) void this.#receive(stream, call);
        });
        stream.on('end', () => {
          forget();
          stream.end();
        });
      }
    }
  }

  /** No call is taken any more; answers that are on their way still arrive. */
  close(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  /** Of one caller's connections to one address only the newest counts, in whatever order they are seen. */
  #isNewest({ processId, address, connection }: Greeting, stream: CallStream): boolean {
    const caller = `${processId} ${address}`;
    const known = this.#newest.get(caller);
    if (known !== undefined) {
      const older = known.connection > connection ? stream : known.stream;
      if (older === stream || this.#streams.delete(older)) refuse(older, status.ABORTED, 'a newer connection is there');
      if (older === stream) return false;
      this.#newest.delete(caller);
    }
    this.#newest.set(caller, { connection, stream });
    if (this.#newest.size > REMEMBERED_CALLERS) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    for (const [caller, { stream }] of this.#newest) {
      if (this.#streams.has(stream)) continue;
      this.#newest.delete(caller);
      return;
    }
  }

  /** Reaches the gateway before it returns: calls are handed over in the order in which they arrive. */
  async #receive(stream: CallStream, call: CallFrame): Promise<void> {
    let answer: AnswerFrame;
    try {
      answer = { callId: call.id, result: this.#encodeResult(call, await this.#carryOut(call)) };
    } catch (error) {
      answer = { callId: call.id, failure: encodePlainData(serializeError(error)) };
    }
    if (this.#streams.has(stream)) stream.write({ answer });
  }

  #carryOut({ gateway: kind, name, method, epoch, body }: CallFrame): Promise<unknown> {
    const address = `${this.#options.address()}/${name}`;
    const gateway = this.#options.served.find(kind, name);
    if (gateway === null) throw unreachable(kind, address, 'nothing is served there', 'none');
    if (!isGatewayMethod(kind, method)) throw rpcErrors.create('MR-RPC-NO-METHOD', { kind, address, method });
    let fence = this.#fences.get(gateway);
    if (fence === undefined) this.#fences.set(gateway, (fence = new EpochFence(`the ${kind} at ${address}`)));
    fence.check(epoch);
    let message: unknown;
    try {
      message = decodePlainData(body);
    } catch (error) {
      throw rpcErrors.create('MR-RPC-BAD-MESSAGE', { kind, address, method, reason: messageOf(error) }, error);
    }
    return invoke(gateway, method, message);
  }

  #encodeResult({ gateway: kind, name, method }: CallFrame, result: unknown): Uint8Array {
    const bytes = encodePlainData(result);
    if (bytes.byteLength <= MAX_MESSAGE_BYTES) return bytes;
    const address = `${this.#options.address()}/${name}`;
    throw tooLarge(kind, address, method, bytes.byteLength);
  }
}

function refuse(stream: CallStream, code: status, details: string): void {
  stream.emit('error', { code, details });
}
