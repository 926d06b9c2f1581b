import { isMillraceError, messageOf } from '../../core/index.ts';
import type {
  DataType,
  LookupConnector,
  LookupReader,
  LookupRow,
  LookupSpec,
  OptionProblem,
  TaskContext,
  Value,
} from '../../core/index.ts';
import { castValue } from '../../expr/index.ts';
import { loadPem, tlsSettings } from '../tls-option.ts';
import { httpErrors } from './errors.ts';
import { exactNumber } from './exact-json.ts';
import { HttpClient, hostOf } from './http-client.ts';
import type { HttpAnswer } from './http-client.ts';
import { httpLookupOptions } from './http-options.ts';
import type { HttpLookupOptions } from './http-options.ts';
import { JsonAnswer } from './json-answer.ts';
import { placeholdersOf, UrlTemplate } from './url-template.ts';

/** A service that is asked over HTTP and answers in JSON. */
export const httpLookup: LookupConnector = Object.freeze({
  kind: 'lookup',
  name: 'http',
  doc: 'Asks a service over HTTP or HTTPS, which answers in JSON.',
  options: httpLookupOptions,
  formatUse: 'none',
  example: 'url: http://localhost:8080/customers/{id}\nheaders: {Authorization: "Bearer ${TOKEN}"}',
  check: checkHttp,
  createReader: (spec) => new HttpLookup(spec),
} satisfies LookupConnector);

function checkHttp(spec: LookupSpec): readonly OptionProblem[] {
  const { url, method, batch } = spec.options as HttpLookupOptions;
  const names = spec.keys.fields.map(({ name }) => name);
  const invalid = (key: string, message: string): OptionProblem => ({
    path: [key],
    what: 'invalid',
    message,
    suggestion: null,
  });
  const used = placeholdersOf(url);
  const problems = used
    .filter((name) => !names.includes(name))
    .map((name) => invalid('url', `\`url\` holds {${name}}, which is no field of \`on\` (${names.join(', ')})`));
  const unasked = names.filter((name) => !used.includes(name));
  if (method === 'GET' && unasked.length > 0) {
    problems.push(invalid('url', `\`url\` does not hold {${unasked.join('}, {')}}, and GET sends nothing else`));
  }
  if (batch > 1 && method === 'GET') problems.push(invalid('batch', '`batch` is for POST, which sends a list'));
  if (batch > 1 && used.length > 0) {
    problems.push(invalid('batch', '`batch` asks for several keys at once: `url` cannot hold one of them'));
  }
  return problems;
}

class HttpLookup implements LookupReader {
  readonly batchSize: number;
  readonly #spec: LookupSpec;
  readonly #options: HttpLookupOptions;
  readonly #url: UrlTemplate;
  readonly #answer: JsonAnswer;
  readonly #host: string;
  readonly #missing: ReadonlySet<number>;
  readonly #headers: Readonly<Record<string, string>>;
  #client: HttpClient | null = null;

  constructor(spec: LookupSpec) {
    this.#spec = spec;
    this.#options = spec.options as HttpLookupOptions;
    const { url, batch, rows, missing, method, headers } = this.#options;
    this.batchSize = batch;
    this.#url = new UrlTemplate(url, spec.keys.fields.map(({ name }) => name));
    this.#answer = new JsonAnswer(spec, rows);
    this.#host = hostOf(url);
    this.#missing = new Set(missing.map(Number));
    const own = { accept: 'application/json', ...(method === 'POST' ? { 'content-type': 'application/json' } : {}) };
    this.#headers = { ...own, ...lowerCased(headers) };
  }

  async open({ ports }: TaskContext): Promise<void> {
    const { connections, maxAnswer: maxAnswerBytes } = this.#options;
    const given = tlsSettings(this.#options.tls);
    const fail = (reason: string, cause: unknown) => httpErrors.create('MR-HTTP-TLS', { reason }, cause);
    const tls = given === null ? null : await loadPem(given, ports.files, fail);
    this.#client = new HttpClient({ connections, maxAnswerBytes, tls });
  }

  async lookup(keys: readonly LookupRow[], signal: AbortSignal): Promise<readonly (readonly LookupRow[])[]> {
    const { method, batch } = this.#options;
    const [first = []] = keys;
    const client = this.#client as HttpClient;
    const url = this.#url.fill(first.map((value, index) => this.#textOf(value, index)));
    if (url === null) throw httpErrors.create('MR-HTTP-KEY', { host: this.#host });
    const asked = keys.map((key) => this.#objectOf(key));
    const body = method === 'GET' ? null : JSON.stringify(batch > 1 ? asked : asked[0]);
    const answer = await client.request({ method, url, headers: this.#headers, body }, signal);
    if (this.#missing.has(answer.status)) return keys.map(() => []);
    this.#checkStatus(answer);
    try {
      if (batch > 1) return this.#answer.readSeveral(answer.body, keys.length);
      return [this.#answer.readOne(answer.body)];
    } catch (error) {
      // Errors of the format and of JSON's grammar; anything else is a bug.
      if (!isMillraceError(error) && !(error instanceof SyntaxError)) throw error;
      throw httpErrors.create('MR-HTTP-ANSWER', { host: this.#host, problem: messageOf(error) }, error);
    }
  }

  close(): Promise<void> {
    this.#client?.close();
    return Promise.resolve();
  }

  #checkStatus({ status, body }: HttpAnswer): void {
    if (status >= 200 && status < 300) return;
    const start = body.toString('utf8', 0, 200).replaceAll(/\s+/g, ' ').trim();
    const fields = { host: this.#host, status, hint: start === '' ? '' : `: ${start}` };
    const mayPass = status >= 500 || status === 408 || status === 429;
    throw httpErrors.create(mayPass ? 'MR-HTTP-STATUS' : 'MR-HTTP-REFUSED', fields);
  }

  #typeOf(index: number): DataType {
    return (this.#spec.keys.fields[index] as { type: DataType }).type;
  }

  #textOf(value: Value, index: number): string {
    return typeof value === 'string' ? value : (castValue(value, this.#typeOf(index), STRING) as string);
  }

  /** What JSON has a form for keeps it; all else is text, as CAST makes it. */
  #objectOf(key: LookupRow): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      this.#spec.keys.fields.map(({ name, type }, index) => {
        const value = key[index] as Value;
        const isPlain = typeof value === 'boolean' || NUMBERS.has(type.kind);
        if (typeof value === 'bigint' && isPlain) return [name, exactNumber(value)];
        return [name, isPlain ? value : this.#textOf(value, index)];
      }),
    );
  }
}

/** Names of headers know no case. */
function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const));
}

const STRING: DataType = { kind: 'string' };
const NUMBERS: ReadonlySet<DataType['kind']> = new Set(['int', 'long', 'float', 'double']);
