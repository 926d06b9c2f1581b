import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parseOptions, rowSchema, types } from '../../core/index.ts';
import type { LookupReader, LookupSpec } from '../../core/index.ts';
import { testContext } from '../test-context.ts';
import { httpLookup } from './http-lookup.ts';
import { httpLookupOptions } from './http-options.ts';

const keys = rowSchema([
  { name: 'id', type: types.long },
  { name: 'region', type: types.string },
]);
const schema = rowSchema([
  { name: 'name', type: types.string },
  { name: 'limit', type: types.long },
  { name: 'rate', type: types.decimal(38, 20) },
]);

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let base = '';
let answer: Answer = () => undefined;
const seen: { url: string; body: string; headers: IncomingMessage['headers'] }[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      seen.push({ url: request.url ?? '', body, headers: request.headers });
      answer(request, response, body);
    });
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  seen.length = 0;
  sockets.clear();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function specOf(given: Record<string, unknown>): LookupSpec {
  const { values, problems } = parseOptions(httpLookupOptions, given);
  expect(problems).toEqual([]);
  return { stepId: 'l', connector: 'http', options: values, format: null, keys, schema };
}

async function withReader<T>(given: Record<string, unknown>, use: (reader: LookupReader) => Promise<T>): Promise<T> {
  const reader = httpLookup.createReader(specOf(given));
  try {
    await reader.open(testContext());
    return await use(reader);
  } finally {
    await reader.close();
  }
}

const json = (value: unknown, status = 200): Answer => (_request, response) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof value === 'string' ? value : JSON.stringify(value));
};
const GET = { url: '' };
const ask = (reader: LookupReader, signal = new AbortController().signal) => reader.lookup([[1n, 'eu']], signal);
const failureOf = (given: Record<string, unknown>, signal?: AbortSignal) =>
  withReader(given, (reader) => ask(reader, signal).then(() => null, (error: unknown) => error as object));

beforeEach(() => {
  GET.url = `${base}/c/{region}/{id}`;
});

describe('a lookup over HTTP', () => {
  it('fills in the URL, sends the headers, and reads every digit', async () => {
    answer = json('{"rate": 1.00000000000000000001, "limit": 9007199254740993, "name": "Ä", "more": [1]}');
    const rows = await withReader({ ...GET, headers: { Authorization: 'Bearer x' } }, async (reader) => {
      const nasty = await reader.lookup([[2n ** 62n, '../a b/?&']], new AbortController().signal);
      const up = reader.lookup([[1n, '..']], new AbortController().signal);
      await expect(up).rejects.toMatchObject({ code: 'MR-HTTP-KEY', scope: 'record', retry: 'never' });
      await ask(reader);
      return nasty;
    });
    expect(rows).toEqual([[['Ä', 9007199254740993n, 100000000000000000001n]]]);
    expect(seen.map(({ url }) => url)).toEqual(['/c/..%2Fa%20b%2F%3F%26/4611686018427387904', '/c/eu/1']);
    expect(seen[0]?.headers.authorization).toBe('Bearer x');
    expect(sockets.size).toBe(1);
  });

  it.each([
    ['a list', '[{"name": "a"}, {"name": "b"}]', '', [['a', null, null], ['b', null, null]]],
    ['rows inside', '{"d": {"a/b": [{"limit": 12345678901234567}]}}', '/d/a~1b', [[null, 12345678901234567n, null]]],
    ['no such place', '{"data": null}', '/data/items', []],
    ['null', 'null', '', []],
    ['nothing at all', '', '', []],
  ])('takes %s', async (_what, text, rows, expected) => {
    answer = json(text);
    expect(await withReader({ ...GET, rows }, ask)).toEqual([expected]);
  });

  it('finds nothing where the status says so', async () => {
    answer = json('gone', 410);
    expect(await withReader({ ...GET, missing: ['404', '410'] }, ask)).toEqual([[]]);
  });

  it('posts one key, or several and gets as many answers', async () => {
    const url = `${base}/find`;
    answer = json({ name: 'a' });
    expect(await withReader({ url, method: 'POST' }, ask)).toEqual([[['a', null, null]]]);
    answer = json('[{"name": "a", "limit": 9007199254740993}, null, [{"name": "b"}, {"name": "c"}]]');
    const several = await withReader({ url, method: 'POST', batch: 10 }, (reader) => {
      expect(reader.batchSize).toBe(10);
      return reader.lookup([[2n ** 60n, 'a'], [2n, 'b'], [3n, 'c']], new AbortController().signal);
    });
    expect(several).toEqual([
      [['a', 9007199254740993n, null]],
      [],
      [['b', null, null], ['c', null, null]],
    ]);
    expect(seen.map(({ body }) => body)).toEqual([
      '{"id":1,"region":"eu"}',
      '[{"id":1152921504606846976,"region":"a"},{"id":2,"region":"b"},{"id":3,"region":"c"}]',
    ]);
  });

  it.each<[string, Answer, string, string]>([
    ['an error of the service', json('try later', 503), 'MR-HTTP-STATUS', 'backoff'],
    ['too many requests', json('', 429), 'MR-HTTP-STATUS', 'backoff'],
    ['a refusal', json('who are you?', 401), 'MR-HTTP-REFUSED', 'never'],
    ['a redirection', json('', 302), 'MR-HTTP-REFUSED', 'never'],
    ['garbage', json('<html>'), 'MR-HTTP-ANSWER', 'backoff'],
    ['half an answer', json('{"name": "a"'), 'MR-HTTP-ANSWER', 'backoff'],
    ['another type', json({ name: 5 }), 'MR-HTTP-ANSWER', 'backoff'],
    ['a number that does not fit', json('{"limit": 1e30}'), 'MR-HTTP-ANSWER', 'backoff'],
    ['rows that are none', json('[1, "x"]'), 'MR-HTTP-ANSWER', 'backoff'],
    ['no UTF-8', (_request, response) => response.end(Buffer.from('5bff5d', 'hex')), 'MR-HTTP-ANSWER', 'backoff'],
    ['a connection that is closed', (request) => request.socket.destroy(), 'MR-HTTP-FAILED', 'backoff'],
    [
      'a connection that is closed in the middle',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{', () => response.socket?.destroy());
      },
      'MR-HTTP-FAILED',
      'backoff',
    ],
    ['an answer that is too large', json('x'.repeat(2000)), 'MR-HTTP-FAILED', 'backoff'],
  ])('fails for %s', async (_what, given, code, retry) => {
    answer = given;
    expect(await failureOf({ ...GET, maxAnswer: '1kB' })).toMatchObject({ code, retry, scope: 'record' });
  });

  it('fails where several keys get another number of answers', async () => {
    answer = json([{}]);
    const given = { url: `${base}/find`, method: 'POST', batch: 10 };
    const two = withReader(given, (reader) => reader.lookup([[1n, 'a'], [2n, 'b']], new AbortController().signal));
    await expect(two).rejects.toMatchObject({ code: 'MR-HTTP-ANSWER' });
  });

  it('lets go of a service that hangs, and fails where nobody listens', async () => {
    const hangs = new AbortController();
    answer = () => {
      hangs.abort();
    };
    expect(await failureOf(GET, hangs.signal)).toMatchObject({ code: 'MR-HTTP-FAILED' });
    expect(await failureOf({ url: 'http://127.0.0.1:1/{id}{region}' })).toMatchObject({ code: 'MR-HTTP-FAILED' });
  });

  it.each([
    ['{ID}', { url: 'http://h/{ID}/{region}{id}' }, 'url'],
    ['a key that GET does not send', { url: 'http://h/{id}' }, 'url'],
    ['a batch with GET', { url: 'http://h/{id}{region}', batch: 2 }, 'batch'],
    ['a batch with a key in the URL', { url: 'http://h/{id}', method: 'POST', batch: 2 }, 'batch'],
  ])('is refused with %s', (_what, given, key) => {
    expect(httpLookup.check(specOf(given)).map(({ path }) => path[0])).toContain(key);
  });

  it.each([
    ['a host from the data', { url: 'http://{id}/x' }],
    ['a password', { url: 'http://me:secret@h/x' }],
    ['another protocol', { url: 'file:///etc/passwd' }],
    ['a header with a line feed', { url: 'http://h/', headers: { a: 'b\nc: d' } }],
    ['a status that is none', { url: 'http://h/', missing: ['4o4'] }],
    ['a path that is no pointer', { url: 'http://h/', rows: 'data.items' }],
  ])('has no %s', (_what, given) => {
    expect(parseOptions(httpLookupOptions, given).problems).toHaveLength(1);
  });
});
