import { defineOptions } from '../../core/index.ts';
import type { OptionValue, OptionValues } from '../../core/index.ts';
import { tlsOption } from '../tls-option.ts';
import { urlProblem } from './url-template.ts';

const MAX_STATUS = 599;

export const httpLookupOptions = defineOptions({
  url: {
    kind: 'string',
    required: true,
    doc: 'what is asked; `{NAME}` behind the host stands for a field of `on`: `http://crm/customers/{id}`',
    aliases: ['uri', 'endpoint', 'address'],
    validate: (value) => urlProblem(value as string),
    scope: 'connector',
  },
  method: {
    kind: 'enum',
    values: ['GET', 'POST'],
    default: 'GET',
    doc: 'how it is asked; POST sends the fields of `on` as a JSON object',
    aliases: ['lookup-method', 'http.method'],
    scope: 'connector',
  },
  headers: {
    kind: 'map',
    default: {},
    doc: 'sent with each request, such as `Authorization`',
    aliases: ['header', 'http.headers'],
    secret: true,
    validate: headersProblem,
    scope: 'connector',
  },
  batch: {
    kind: 'integer',
    default: 1,
    min: 1,
    max: 10_000,
    doc: 'with POST, the most keys of one request: it sends a list of objects, and the answer is a list as long',
    aliases: ['batchSize', 'batch_size', 'max-batch-size'],
    scope: 'connector',
  },
  rows: {
    kind: 'string',
    default: '',
    doc: 'where in an answer its rows are, as a JSON pointer such as `/data/items`; empty for the answer itself',
    aliases: ['path', 'pointer', 'jsonPath', 'root'],
    validate: (value) =>
      value === '' || (value as string).startsWith('/') ? null : 'must be a JSON pointer, which begins with a slash',
    scope: 'connector',
  },
  missing: {
    kind: 'list',
    default: ['404'],
    doc: 'statuses which mean that there is no such row',
    aliases: ['notFound', 'not_found', 'ignored-response-codes'],
    validate: statusesProblem,
    scope: 'connector',
  },
  connections: {
    kind: 'integer',
    default: 100,
    min: 1,
    max: 10_000,
    doc: 'the most connections of one subtask; they are kept for further requests',
    aliases: ['maxConnections', 'poolSize', 'pool-size'],
    scope: 'connector',
  },
  maxAnswer: {
    kind: 'size',
    default: '16MiB',
    min: 1,
    doc: 'the largest answer that is accepted',
    scope: 'connector',
  },
  tls: { ...tlsOption, doc: `${tlsOption.doc}; for https, true goes without saying` },
});

export type HttpLookupOptions = OptionValues<typeof httpLookupOptions>;

function headersProblem(value: OptionValue): string | null {
  for (const [name, text] of Object.entries(value as Readonly<Record<string, string>>)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return `has \`${name}\`, which is no name of a header`;
    if (/[\0-\x08\x0a-\x1f\x7f]/.test(text)) return `has control characters in \`${name}\``;
  }
  return null;
}

function statusesProblem(value: OptionValue): string | null {
  const bad = (value as readonly string[]).find((status) => !/^\d{3}$/.test(status) || Number(status) > MAX_STATUS);
  return bad === undefined ? null : `has \`${bad}\`, which is no status`;
}
