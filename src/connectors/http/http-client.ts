/** The only home of Node's HTTP client. */
import * as http from 'node:http';
import * as https from 'node:https';

import { messageOf, systemErrorCode } from '../../core/index.ts';
import type { TlsSettings } from '../../core/index.ts';
import { httpErrors } from './errors.ts';

export interface HttpClientSettings {
  readonly connections: number;
  readonly maxAnswerBytes: number;
  /** PEM text in it; null for what Node does by itself. */
  readonly tls: TlsSettings | null;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Requests over connections that are kept. Nothing is followed, cached or asked again. */
export class HttpClient {
  readonly #settings: HttpClientSettings;
  readonly #plain: http.Agent;
  readonly #secure: https.Agent;

  constructor(settings: HttpClientSettings) {
    this.#settings = settings;
    const { connections: maxSockets, tls } = settings;
    const kept = { keepAlive: true, maxSockets, scheduling: 'lifo' } as const;
    this.#plain = new http.Agent(kept);
    this.#secure = new https.Agent({
      ...kept,
      ...(tls?.ca == null ? {} : { ca: tls.ca }),
      ...(tls?.cert == null ? {} : { cert: tls.cert }),
      ...(tls?.key == null ? {} : { key: tls.key }),
      ...(tls?.passphrase == null ? {} : { passphrase: tls.passphrase }),
      ...(tls?.serverName == null ? {} : { servername: tls.serverName }),
      rejectUnauthorized: tls?.verify ?? true,
    });
  }

  /** Rejects with MR-HTTP-FAILED where there is no whole answer, also once `signal` is aborted. */
  request({ method, url, headers, body }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const isSecure = url.startsWith('https:');
    const options = { method, headers, signal, agent: isSecure ? this.#secure : this.#plain };
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        const problem = systemErrorCode(error) ?? messageOf(error);
        reject(httpErrors.create('MR-HTTP-FAILED', { host: hostOf(url), problem }, error));
      };
      const request = (isSecure ? https : http).request(url, options, (response) => {
        this.#read(response).then((whole) => {
          resolve({ status: response.statusCode ?? 0, body: whole });
        }, fail);
      });
      request.on('error', fail);
      request.end(body ?? undefined);
    });
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #read(response: http.IncomingMessage): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= this.#settings.maxAnswerBytes) chunks.push(chunk);
        else response.destroy(new Error(`more than ${this.#settings.maxAnswerBytes} bytes (\`maxAnswer\`)`));
      });
      response.on('end', () => {
        const [only] = chunks;
        resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
      });
      // A connection that closes in the middle is an error too (ECONNRESET).
      response.on('error', reject);
    });
  }
}

export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}
