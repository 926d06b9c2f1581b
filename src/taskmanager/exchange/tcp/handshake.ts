/**
 * The first words on a connection, in order:
 *
 *   connects  hello {versions, job, attempt, slots, credits, nonce}
 *   accepts   welcome {version, credits, nonce, proof}   or   refused {reason}, and closes
 *   connects  proof {proof}                              and goes on at once
 *
 * The proofs say that both know the cluster's token, which does not travel.
 */
import { badMessage, messageKinds } from './wire.ts';
import type { ConnectionOwner, WireConnection } from './wire-connection.ts';
import {
  agreeOnVersion,
  decodeHello,
  decodeProof,
  decodeReason,
  decodeWelcome,
  encodeHello,
  encodeJson,
  isSameProof,
  PROTOCOL,
  proofOf,
} from './hello.ts';
import type { Hello, Welcome } from './hello.ts';

/** What both sides of a handshake do alike: no frames, and an end that is told. */
abstract class Handshake implements ConnectionOwner {
  readonly #ended: (error: Error) => void;

  constructor(ended: (error: Error) => void) {
    this.#ended = ended;
  }

  abstract messageArrived(kind: number, flags: number, channel: number, body: Uint8Array): void;

  frameBuffer(): ArrayBuffer {
    throw badMessage('data before any greeting');
  }

  frameArrived(): void {
    throw badMessage('data before any greeting');
  }

  over(error: Error | null): void {
    this.#ended(error ?? new Error('the other side has closed the connection'));
  }
}

export interface Connecting {
  readonly hello: Hello;
  readonly token: string | null;
  /** Called at most once; the connection is the callee's. */
  readonly ready: (welcome: Welcome) => void;
  /** Called instead, at most once. */
  readonly ended: (error: Error) => void;
}

/** The side that connects. */
export class ConnectingHandshake extends Handshake {
  readonly #options: Connecting;
  #connection: WireConnection | null = null;

  constructor(options: Connecting) {
    super(options.ended);
    this.#options = options;
  }

  start(connection: WireConnection): void {
    this.#connection = connection;
    connection.writer.message(messageKinds.hello, 0, 0, encodeHello(this.#options.hello, PROTOCOL));
    connection.writer.flush();
  }

  messageArrived(kind: number, _flags: number, _channel: number, body: Uint8Array): void {
    const { hello, token, ready } = this.#options;
    const connection = this.#connection;
    if (connection === null) throw badMessage('an answer before any question');
    if (kind === messageKinds.refused) {
      connection.fail(new Error(`the other side refuses: ${decodeReason(body)}`));
      return;
    }
    if (kind !== messageKinds.welcome) throw badMessage(`a message of kind ${kind}, not a welcome`);
    const welcome = decodeWelcome(body);
    if (welcome.version < PROTOCOL.oldest) throw badMessage(`version ${welcome.version}`);
    if (!isSameProof(welcome.proof, proofOf('accepts', token, hello, welcome))) {
      connection.fail(new Error('the other side does not know the token of the cluster'));
      return;
    }
    const proof = proofOf('connects', token, hello, welcome);
    connection.writer.message(messageKinds.proof, 0, 0, encodeJson({ proof }));
    connection.writer.flush();
    ready(welcome);
  }
}

export interface Accepting {
  readonly credits: number;
  readonly nonce: string;
  readonly token: string | null;
  /** Why this greeting is not welcome; null where it is. */
  readonly judge: (hello: Hello) => string | null;
  readonly ready: (hello: Hello) => void;
  readonly ended: (error: Error) => void;
}

/** The side that accepts. */
export class AcceptingHandshake extends Handshake {
  readonly #options: Accepting;
  #connection: WireConnection | null = null;
  /** What was answered. */
  #greeted: { readonly hello: Hello; readonly welcome: Welcome } | null = null;

  constructor(options: Accepting) {
    super(options.ended);
    this.#options = options;
  }

  start(connection: WireConnection): void {
    this.#connection = connection;
  }

  messageArrived(kind: number, _flags: number, _channel: number, body: Uint8Array): void {
    const greeted = this.#greeted;
    if (greeted === null && kind === messageKinds.hello) this.#greet(body);
    else if (greeted !== null && kind === messageKinds.proof) this.#prove(greeted.hello, greeted.welcome, body);
    else throw badMessage(`a message of kind ${kind} instead of a greeting`);
  }

  #greet(body: Uint8Array): void {
    const { credits, nonce, token, judge } = this.#options;
    const version = agreeOnVersion(body);
    if (version === null) {
      this.#refuse(`it speaks version ${PROTOCOL.oldest} to ${PROTOCOL.newest}`);
      return;
    }
    const hello = decodeHello(body);
    const reason = judge(hello);
    if (reason !== null) {
      this.#refuse(reason);
      return;
    }
    const proof = proofOf('accepts', token, hello, { version, nonce });
    const welcome = { version, credits, nonce, proof };
    this.#greeted = { hello, welcome };
    this.#connection?.writer.message(messageKinds.welcome, 0, 0, encodeJson(welcome));
    this.#connection?.writer.flush();
  }

  #prove(hello: Hello, welcome: Welcome, body: Uint8Array): void {
    if (!isSameProof(decodeProof(body), proofOf('connects', this.#options.token, hello, welcome))) {
      this.#refuse('the token of the cluster is another one');
      return;
    }
    const reason = this.#options.judge(hello);
    if (reason === null) this.#options.ready(hello);
    else this.#refuse(reason);
  }

  #refuse(reason: string): void {
    this.#connection?.writer.message(messageKinds.refused, 0, 0, encodeJson({ reason }));
    this.#connection?.end();
  }
}
