/**
 * Asks the REST API of a cluster. Dispatchers come and go: a request is repeated, at whichever of them is there, until
 * one that leads has answered or the time is up. All requests are such that repeating them does no harm.
 */
import {
  deserializeError,
  messageOf,
  readShape,
  shape,
  type MillraceError,
  type Ports,
  type Shape,
} from '../../core/index.ts';
import { cliErrors } from '../errors.ts';
import type { DispatcherFinder } from './find-dispatchers.ts';
import type { HttpAnswer, HttpExchange } from './http-exchange.ts';
import { refusedJobFile, type FileProblem } from './refused-job-file.ts';

export interface ClusterClientOptions {
  readonly finder: DispatcherFinder;
  readonly exchange: HttpExchange;
  readonly token: string | null;
  readonly ca: string | null;
  /** How long a request may take, all attempts together. */
  readonly timeoutMs: number;
  readonly ports: Pick<Ports, 'clock' | 'randomness'>;
}

export interface ClusterRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/v1`, with the query. */
  readonly path: string;
  readonly body?: { readonly mediaType: string; readonly text: string };
}

const PAUSE_MS = 250;
/** One that is silent is left for another; a leader may take a while to check a job. */
const ATTEMPT_MS = 15_000;
/** Even the last attempt has so long, so that what is told in the end is why it failed, not that time was short. */
const SHORTEST_ATTEMPT_MS = 2000;

export class ClusterClient {
  readonly #options: ClusterClientOptions;

  constructor(options: ClusterClientOptions) {
    this.#options = options;
  }

  /** An id for whatever must happen once, however often it is asked for. */
  newId(): string {
    return this.#options.ports.randomness.hex(16);
  }

  sleep(delayMs: number): Promise<void> {
    return this.#options.ports.clock.sleep(delayMs);
  }

  /**
   * Resolves to what was answered. Rejects with the error that the cluster tells, with MR-CLI-NO-DISPATCHER where
   * nobody who leads has answered in time, or MR-CLI-ANSWER where the answer makes no sense.
   */
  async ask<T>(request: ClusterRequest, expected: Shape<T>): Promise<T> {
    const { clock } = this.#options.ports;
    const { finder } = this.#options;
    const deadlineMs = clock.monotonicMs() + this.#options.timeoutMs;
    let problem: string;
    do {
      problem = finder.problem();
      for (const url of finder.candidates()) {
        const leftMs = Math.max(SHORTEST_ATTEMPT_MS, Math.min(ATTEMPT_MS, deadlineMs - clock.monotonicMs()));
        const attempt = await this.#attempt(url, request, leftMs);
        if (attempt.kind === 'answered') return readAnswer(attempt.answer, request, expected);
        problem = attempt.problem;
      }
      await clock.sleep(Math.max(0, Math.min(PAUSE_MS, deadlineMs - clock.monotonicMs())));
    } while (clock.monotonicMs() < deadlineMs);
    const seconds = Math.round(this.#options.timeoutMs / 1000);
    throw cliErrors.create('MR-CLI-NO-DISPATCHER', { place: finder.place, seconds, reason: problem });
  }

  async #attempt(url: string, { method = 'GET', path, body }: ClusterRequest, timeoutMs: number): Promise<Attempt> {
    const { exchange, token, ca } = this.#options;
    try {
      const answer = await exchange({
        method,
        url: `${url}/v1${path}`,
        headers: {
          accept: 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': body.mediaType }),
        },
        body: body?.text ?? null,
        timeoutMs,
        ca,
      });
      // The cluster is between two leaders, or something in front of it cannot reach it.
      if (![502, 503, 504].includes(answer.status)) return { kind: 'answered', answer };
      return { kind: 'none', problem: `${url}: ${errorOf(answer).message}` };
    } catch (error) {
      return { kind: 'none', problem: `${url}: ${messageOf(error)}` };
    }
  }

  close(): Promise<void> {
    return this.#options.finder.close();
  }
}

type Attempt =
  | { readonly kind: 'answered'; readonly answer: HttpAnswer }
  | { readonly kind: 'none'; readonly problem: string };

function readAnswer<T>(answer: HttpAnswer, { method = 'GET', path }: ClusterRequest, expected: Shape<T>): T {
  if (answer.status >= 400) throw errorOf(answer);
  const reading = readShape(expected, parseJson(answer.body));
  if (reading.kind === 'read') return reading.value;
  const request = `${method} ${path.split('?')[0] ?? path}`;
  throw cliErrors.create('MR-CLI-ANSWER', { request, reason: reading.reason });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const toldError = shape.fields({
  code: shape.where(shape.text, (code) => code.startsWith('MR-'), 'a code') as Shape<`MR-${string}`>,
  message: shape.text,
  domain: shape.oneOf('user', 'external', 'internal'),
  scope: shape.oneOf('record', 'task', 'job', 'process'),
  retry: shape.oneOf('never', 'backoff'),
  fields: shape.map((value: unknown) => value as string | number | boolean),
});

/** An error that the cluster tells, wherever in an answer it stands. */
export const toldErrorShape: Shape<MillraceError> = (value, place) =>
  deserializeError({ ...toldError(value, place), stack: null });

const problemShape: Shape<FileProblem> = shape.fields({
  line: shape.integer(1),
  column: shape.integer(1),
  endColumn: shape.integer(1),
  code: shape.where(shape.text, (code) => code.startsWith('MR-'), 'a code') as Shape<`MR-${string}`>,
  message: shape.text,
  expected: shape.nullable(shape.text),
  suggestion: shape.nullable(shape.text),
});
const toldAnswer = shape.fields({ error: toldErrorShape }, { problems: shape.list(problemShape) });
const plainAnswer = shape.fields({ errors: shape.list(shape.text) });

/** As our Dispatchers say it, as Flink would, or as something in between does. */
function errorOf({ status, body }: HttpAnswer): MillraceError {
  const parsed = parseJson(body);
  const told = readShape(toldAnswer, parsed);
  if (told.kind === 'read') {
    const { error, problems } = told.value;
    return problems === undefined ? error : refusedJobFile(error, problems);
  }
  const plain = readShape(plainAnswer, parsed);
  const beginning = `${body.slice(0, 200).trim()} (no error of ours)`;
  const reason = plain.kind === 'read' ? plain.value.errors.join('; ') : beginning;
  return cliErrors.create('MR-CLI-REFUSED', { status, reason });
}
