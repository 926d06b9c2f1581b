/** One request to a Dispatcher and its answer. The only home of Node's HTTP client in this room. */
import * as http from 'node:http';
import * as https from 'node:https';

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Silence longer than this ends it. */
  readonly timeoutMs: number;
  /** PEM of the authority that the server's certificate is of; null for those that Node trusts. */
  readonly ca: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** Rejects where there is no whole answer. */
export type HttpExchange = (request: HttpRequest) => Promise<HttpAnswer>;

/** No answer of ours comes near it. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export const httpExchange: HttpExchange = ({ method, url, headers, body, timeoutMs, ca }) =>
  new Promise((resolve, reject) => {
    const { request } = url.startsWith('https:') ? https : http;
    const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    // A connection of its own: one that was kept may be to a process that is gone.
    const options = { method, headers: { ...length, ...headers }, timeout: timeoutMs, agent: false };
    const sent = request(url, { ...options, ...(ca === null ? {} : { ca }) }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) answer.destroy(new Error('the answer is too long'));
      });
      answer.on('end', () => {
        const { statusCode: status = 0, complete } = answer;
        if (complete) resolve({ status, body: Buffer.concat(chunks).toString('utf8') });
      });
      answer.on('error', reject);
      answer.on('close', () => reject(new Error('the connection ended before the answer did')));
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer for ${Math.round(timeoutMs)} ms`)));
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
