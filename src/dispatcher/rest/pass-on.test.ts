import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from '@jest/globals';

import { jobId as toJobId } from '../../core/index.ts';
import type { LeaderInfo } from '../../ha/index.ts';
import { closeServedRest, serveRest } from '../../testing/index.ts';

const JOB = toJobId('0'.repeat(31) + '1');
const TOKENS = { view: 'see', operate: 'turn', deploy: 'make' };
const AUTHORIZED = { authorization: 'Bearer make' };

afterEach(closeServedRest);

function leaderAt(port: number): LeaderInfo {
  return { dispatcherId: 'd-1', rpcAddress: 'localhost:1', restUrl: `http://127.0.0.1:${port}`, epoch: 3 };
}

async function pair() {
  const leader = await serveRest({ tokens: TOKENS });
  const standby = await serveRest({ tokens: TOKENS, service: () => null, leader: () => leaderAt(leader.server.port) });
  return { leader, standby };
}

/** A port that nobody listens at. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a standby', () => {
  it('gives requests to the leader, and its answers back as they are', async () => {
    const { leader, standby } = await pair();
    const payload = `name: orders\n${'# long\n'.repeat(200_000)}`;
    const headers = { ...AUTHORIZED, 'content-type': 'application/yaml' };
    expect(await standby.ask('POST', `/v1/jobs?jobid=${JOB}&set=A=b%26c`, { payload, headers })).toMatchObject({
      status: 202,
      body: { jobid: JOB },
    });
    expect(leader.cluster.submissions).toMatchObject([{ text: payload, variables: { A: 'b&c' } }]);
    expect(await standby.ask('GET', '/jobs', { headers: AUTHORIZED })).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: { jobs: [{ id: JOB }] },
    });
    expect(await standby.ask('GET', `/jobs/${'f'.repeat(32)}`, { headers: AUTHORIZED })).toMatchObject({ status: 404 });
    expect(standby.cluster.submissions).toEqual([]);
  });

  it('lets pages of its own pass, and none of another site', async () => {
    const { leader, standby } = await pair();
    await leader.cluster.submit({ text: 'name: a', variables: {}, jobId: JOB });
    const own = { host: 'standby.example', origin: 'http://standby.example', 'sec-fetch-site': 'same-origin' };
    const cancel = (headers: Record<string, string>) =>
      standby.ask('PATCH', `/jobs/${JOB}`, { headers: { ...AUTHORIZED, ...headers } });
    expect((await cancel({ ...own, origin: 'http://evil.example' })).status).toBe(403);
    expect(leader.cluster.told).toEqual([]);
    expect((await cancel(own)).status).toBe(202);
  });

  it('answers about itself by itself', async () => {
    const { standby } = await pair();
    expect((await standby.ask('GET', '/readyz')).body).toEqual({ status: 'standby' });
    expect((await standby.ask('GET', '/leader', { headers: AUTHORIZED })).body).toMatchObject({
      'is-leader': false,
      leader: { 'dispatcher-id': 'd-1', epoch: 3 },
    });
    expect((await standby.ask('GET', '/nothing')).status).toBe(404);
  });

  it('asks for the token itself', async () => {
    const { leader, standby } = await pair();
    for (const headers of [{}, { authorization: 'Bearer see' }]) {
      expect([401, 403]).toContain((await standby.ask('PATCH', `/jobs/${JOB}`, { headers })).status);
    }
    expect(leader.cluster.told).toEqual([]);
  });

  it('says that nobody leads, and when to ask again', async () => {
    const standby = await serveRest({ service: () => null, leader: () => null });
    expect((await standby.ask('GET', '/readyz')).status).toBe(503);
    expect(await standby.ask('GET', '/jobs')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { error: { code: 'MR-REST-NO-LEADER' } },
    });
  });

  it('says that a leader is gone, whatever was to be sent to it', async () => {
    const port = await freePort();
    const standby = await serveRest({ service: () => null, leader: () => leaderAt(port) });
    const payload = '# long\n'.repeat(200_000);
    const job = { payload, headers: { 'content-type': 'application/yaml' } };
    for (const [method, more] of [['GET', {}], ['POST', job]] as const) {
      expect(await standby.ask(method, '/jobs', more)).toMatchObject({
        status: 503,
        body: { errors: [expect.stringContaining('does not answer')] },
      });
    }
  });

  it('sends nothing round in circles', async () => {
    const ports: number[] = [];
    const other = (index: number) => () => leaderAt(ports[index] ?? 0);
    const first = await serveRest({ service: () => null, leader: other(1) });
    const second = await serveRest({ service: () => null, leader: other(0) });
    ports.push(first.server.port, second.server.port);
    expect(await first.ask('GET', '/jobs')).toMatchObject({
      status: 503,
      body: { errors: [expect.stringContaining('lost or not yet taken')] },
    });
  });

  it('cuts its answer off where the leader dies in the middle of it', async () => {
    const dying = createServer((request: IncomingMessage, response) => {
      request.resume();
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    });
    await new Promise<void>((resolve) => dying.listen(0, '127.0.0.1', resolve));
    const { port } = dying.address() as AddressInfo;
    const standby = await serveRest({ service: () => null, leader: () => leaderAt(port) });
    await expect(standby.ask('GET', '/jobs')).rejects.toThrow();
    expect((await standby.ask('GET', '/healthz')).status).toBe(200);
    await new Promise((resolve) => dying.close(resolve));
  });
});
