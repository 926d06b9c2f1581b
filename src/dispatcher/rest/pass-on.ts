/**
 * A standby gives every request that only the leader can answer to the leader, and its answer back, as streams. A mark
 * on the request keeps two that take each other for the leader from sending it to and fro.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline } from 'node:stream/promises';

import { messageOf } from '../../core/index.ts';
import type { LeaderInfo } from '../../ha/index.ts';
import { writeError } from './error-answer.ts';
import { restErrors } from './errors.ts';

const PASSED_ON = 'x-millrace-passed-on';

/** What a browser says of the page that it asks for is checked here, where it means something. */
const FOR_THIS_HOST: readonly string[] = ['host', 'origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'];

/** The leader may take its time to check a job; silence longer than this is a leader that is gone. */
const SILENCE_MS = 60_000;

/** RFC 9110, 7.6.1: about one connection, not about what goes over it. */
const HOP_BY_HOP: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'expect',
];

export interface Passage {
  /** With the prefix and query that the client has asked for. */
  readonly url: string;
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  /** PEM of the authority that the certificates of Dispatchers are of; null for those that Node trusts. */
  readonly ca: string | null;
}

/** Resolves once the request is answered, by the leader or with why it could not. Never rejects. */
export async function passOn(leader: LeaderInfo | null, passage: Passage): Promise<void> {
  const { request, response } = passage;
  try {
    if (leader === null) throw noLeader('none is known');
    if (request.headers[PASSED_ON] !== undefined) throw noLeader('this one has just lost or not yet taken it over');
    const answer = await ask(leader, passage);
    response.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers));
    await pipeline(answer, response);
  } catch (error) {
    if (response.headersSent || response.destroyed) response.destroy();
    else writeError(response, error);
  }
}

function noLeader(reason: string): Error {
  return restErrors.create('MR-REST-NO-LEADER', { reason });
}

function ask(leader: LeaderInfo, { url, request, response, ca }: Passage): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(noLeader(`${leader.restUrl} does not answer: ${reason}`));
    const target = new URL(leader.restUrl);
    const { request: send } = target.protocol === 'https:' ? https : http;
    const headers = { ...without(FOR_THIS_HOST, withoutHops(request.headers)), host: target.host, [PASSED_ON]: '1' };
    // The path is passed on as it came: a URL would normalise it.
    const options = { method: request.method, path: url, headers, timeout: SILENCE_MS, ...(ca === null ? {} : { ca }) };
    const sent = send(target, options);
    sent.once('response', resolve);
    sent.once('timeout', () => sent.destroy(new Error('it is silent')));
    sent.once('error', (error) => fail(messageOf(error)));
    // Whoever asked has gone, or has been answered.
    response.once('close', () => sent.destroy());
    request.once('error', (error) => sent.destroy(error));
    // Not pipeline(): where the leader cannot be reached, that would take away the connection that has to be told.
    request.pipe(sent);
  });
}

function withoutHops(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return without([...HOP_BY_HOP, ...named], headers);
}

function without(names: readonly string[], headers: http.OutgoingHttpHeaders): http.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
