import { afterAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';

import { jobId as toJobId } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { explainJob } from '../../graph/index.ts';
import { closeServedRest, Collected, serveRest, testCatalog } from '../../testing/index.ts';
import { AsyncOperations } from './async-operations.ts';
import { checkExposure } from './exposure.ts';
import type { RestServerOptions } from './rest-server.ts';
import type { RestWorld } from './route.ts';
import { restRoutes } from './routes/rest-routes.ts';

const JOB = toJobId('0'.repeat(31) + '1');
const UNKNOWN = 'f'.repeat(32);
const SOURCE = 'a'.repeat(32);
const TOKENS = { view: 'see', operate: 'turn', deploy: 'make' };
const YAML = { 'content-type': 'application/yaml' };

type World = Awaited<ReturnType<typeof world>>;

// Many tests have one server, which none of them changes.
const shared: { open?: Promise<World>; withTokens?: Promise<World> } = {};

afterAll(closeServedRest);

async function submittedWorld(overrides: Partial<RestServerOptions> = {}) {
  const served = await world(overrides);
  await served.cluster.submit({ text: 'name: a', variables: {}, jobId: JOB });
  return served;
}

async function world(overrides: Partial<RestServerOptions> = {}) {
  const served = await serveRest(overrides);
  const submit = (payload = 'name: orders\n', query = `?jobid=${JOB}`) =>
    served.ask('POST', `/v1/jobs${query}`, { payload, headers: YAML });
  return { ...served, submit };
}

const anyWorld: RestWorld = {
  service: () => null,
  leader: () => null,
  ports: nodePorts,
  explainJob: async (graph) => explainJob(graph, testCatalog(new Collected())),
  version: '1.2.3',
  takesCode: true,
  operations: new AsyncOperations(nodePorts.clock, nodePorts.randomness),
};

async function until<T>(read: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (isThere(value)) return value;
    await nodePorts.macrotasks.yield();
  }
}

describe('what the REST API answers', () => {
  it('is what its schemas say, on every path that reads, with and without /v1', async () => {
    const { cluster, ask, submit } = await world();
    await submit();
    cluster.register('tm-1', JOB);
    await cluster.drain(cluster.taskManagers()[0]?.taskManagerId ?? fail(), 'disk', null);
    const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    const readings = restRoutes(anyWorld).filter(({ method, path }) => method === 'GET' && !/trigger|yarn/.test(path));
    for (const { path, answer } of readings) {
      const log = path.startsWith('/jobmanager') ? 'jobmanager.log' : 'taskmanager.out';
      const ids = path.replace(':jobid', JOB).replace(':vertexid', SOURCE).replace(':taskmanagerid', 'tm-1');
      const url = ids.replace(':logname', log);
      if (path === '/readyz') expect((await ask('GET', url)).status).toBe(200);
      for (const prefix of ['', '/v1']) {
        const { status, body } = await ask('GET', prefix + url);
        const isRight = ajv.compile(answer.schema);
        expect({ url, status, isRight: isRight(body), errors: isRight.errors }).toEqual({
          url,
          status: answer.status,
          isRight: true,
          errors: null,
        });
      }
    }
  });

  it('has the names and values of Flink', async () => {
    const { cluster, ask, submit } = await world();
    await submit();
    cluster.register('tm-1', JOB);
    expect((await ask('GET', '/jobs')).body).toEqual({ jobs: [{ id: JOB, status: 'RUNNING' }] });
    expect((await ask('GET', '/jobs/overview')).body).toMatchObject({
      jobs: [{ jid: JOB, name: 'orders', state: 'RUNNING', 'end-time': -1, tasks: { total: 3, running: 3 } }],
    });
    expect((await ask('GET', '/overview')).body).toMatchObject({
      taskmanagers: 1,
      'slots-total': 2,
      'slots-available': 1,
      'jobs-running': 1,
    });
    expect((await ask('GET', `/jobs/${JOB}`)).body).toMatchObject({
      jid: JOB,
      isStoppable: true,
      vertices: [
        {
          id: SOURCE,
          status: 'RUNNING',
          tasks: { RUNNING: 2, CANCELED: 0 },
          metrics: { 'read-records': 12, 'write-records': 10, 'read-bytes': 100, 'read-bytes-complete': true },
        },
        { status: 'RUNNING', metrics: { 'read-bytes-complete': false } },
      ],
      plan: { nodes: [{ id: SOURCE }, { inputs: [{ num: 0, id: SOURCE, ship_strategy: 'REBALANCE' }] }] },
      millrace: { restarts: 1, 'last-checkpoint': { id: 7 }, origin: { kind: 'restored', checkpoint: 3 } },
    });
    expect((await ask('GET', `/jobs/${JOB}/vertices/${SOURCE}`)).body).toMatchObject({
      subtasks: [{ subtask: 0, attempt: 4, host: 'host-1', 'taskmanager-id': 'tm-1' }, { subtask: 1 }],
    });
    expect((await ask('GET', `/jobs/${JOB}/vertices/${SOURCE}/backpressure`)).body).toMatchObject({
      status: 'ok',
      'backpressure-level': 'high',
      subtasks: [
        { subtask: 0, backpressureLevel: 'high', ratio: 0.75, idleRatio: 0.05, busyRatio: 0.2 },
        { subtask: 1, backpressureLevel: 'ok', ratio: 0.1, idleRatio: 0.9, busyRatio: 0 },
      ],
    });
    expect((await ask('GET', '/taskmanagers/tm-1/logs')).body).toEqual({
      logs: [
        { name: 'taskmanager.log', size: 0, mtime: -1 },
        { name: 'taskmanager.out', size: 0, mtime: -1 },
      ],
    });
    expect((await ask('GET', '/taskmanagers/tm-1/stdout')).body).toBe('stdout at host-1:6000\n');
    expect((await ask('GET', '/jobmanager/logs/jobmanager.log')).body).toBe('log of the Dispatcher\n');
    expect((await ask('GET', '/jobmanager/logs/taskmanager.log')).status).toBe(404);
    expect((await ask('GET', '/jobmanager/logs/..%2fpasswd')).status).toBe(400);
    expect((await ask('GET', `/jobs/${JOB}/checkpoints`)).body).toMatchObject({
      counts: { completed: 7, failed: 1, in_progress: 1, restored: 1 },
      latest: { completed: { id: 7, status: 'COMPLETED' }, failed: { failure_message: 'it took too long' } },
      summary: { state_size: { min: 2000, p99: 2000 } },
    });
    expect((await ask('GET', `/jobs/${JOB}/metrics?get=numRestarts,uptime`)).body).toEqual([
      { id: 'uptime', value: expect.stringMatching(/^\d+$/) },
      { id: 'numRestarts', value: '1' },
    ]);
    expect((await ask('GET', `/jobs/${JOB}/vertices/${SOURCE}/metrics?get=1.in.numRecordsIn`)).body).toEqual([
      { id: '1.in.numRecordsIn', value: '7' },
    ]);
    expect((await ask('GET', `/jobs/${JOB}/execution-result`)).body).toEqual({ status: { id: 'IN_PROGRESS' } });
    cluster.end(JOB, 'FAILED');
    expect((await ask('GET', `/jobs/${JOB}/execution-result`)).body).toMatchObject({
      'job-execution-result': { 'application-status': 'FAILED', 'failure-cause': { class: 'MR-CLUSTER-NOT-FOUND' } },
    });
  });

  it('says where a job runs or would run, in the words of schedulers', async () => {
    const { ask, submit } = await world();
    await submit();
    const running = await ask('GET', `/jobs/${JOB}/placement`);
    expect(running.body).toMatchObject({
      jid: JOB,
      placement: {
        slices: [{ subtask: 0, 'taskmanager-id': 'tm-1', rack: 'a', reason: '1 of its 2 splits are near' }],
        splits: [{ locality: 'RACK_LOCAL' }, { 'near-to': ['b'], locality: 'ANY', reason: 'no slot was free in b' }],
        edges: [{ channels: { PROCESS_LOCAL: 3, ANY: 1 }, 'cross-rack-share': 0.25 }],
        'splits-by-locality': { NODE_LOCAL: 0, RACK_LOCAL: 1, ANY: 1, NO_PREF: 0 },
      },
      'cross-rack-bytes': { read: 2048, sent: 7 },
    });
    const would = (payload: string) => ask('POST', '/v1/placement?set=A=b', { payload, headers: YAML });
    expect(await would('name: next')).toMatchObject({ status: 200, body: { jid: null, name: 'next', placement: {} } });
    expect((await would('name: large')).body).toMatchObject({ placement: null, 'waiting-for': '9 slots (1 are free)' });
    expect(await would('x: broken')).toMatchObject({ status: 400, body: { problems: [{ line: 1 }] } });
  });

  it('shows no secret', async () => {
    const { ask, submit } = await world();
    await submit();
    for (const path of ['', '/config', '/plan', '/checkpoints/config']) {
      expect(JSON.stringify((await ask('GET', `/jobs/${JOB}${path}`)).body)).not.toContain('hunter2');
    }
    const config = (await ask('GET', `/jobs/${JOB}/config`)).body as Record<string, Record<string, unknown>>;
    expect(JSON.stringify(config['execution-config'])).toContain('unlisted=***');
  });

  it('describes itself as OpenAPI', async () => {
    const { ask } = await world();
    const { body } = await ask('GET', '/v1/openapi.json');
    expect(body).toMatchObject({
      openapi: '3.1.0',
      paths: {
        '/v1/jobs': {
          post: { 'x-role': 'deploy', requestBody: { content: { 'application/yaml': {}, 'application/json': {} } } },
        },
        '/v1/jobs/{jobid}/savepoints/{triggerid}': { get: { parameters: [{ name: 'jobid', in: 'path' }, {}] } },
      },
    });
  });

  it('shows a page that runs nothing but its own script', async () => {
    const { ask } = await world();
    const { status, body, headers } = await ask('GET', '/');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = /default-src 'none'; script-src 'sha256-[^ ]+'; style-src 'sha256-/;
    expect(headers['content-security-policy']).toMatch(policy);
    expect(body).toContain('<tbody id="jobs">');
    expect(body).not.toMatch(/innerHTML|https?:\/\/|src=/);
  });
});

describe('what the REST API changes', () => {
  it('takes a job file once, however often it is sent', async () => {
    const { cluster, submit } = await world();
    const query = `?jobid=${JOB}&set=A=1&set=B=x%3Dy&from=s3://b/k&allowDroppedState=true`;
    expect(await submit('name: a\n', query)).toMatchObject({ status: 202, body: { jobid: JOB } });
    expect(cluster.submissions).toEqual([
      {
        text: 'name: a\n',
        jobId: JOB,
        variables: { A: '1', B: 'x=y' },
        start: { kind: 'from', location: 's3://b/k' },
        allowDroppedState: true,
      },
    ]);
    expect((await submit('name: a\n')).body).toEqual({ jobid: JOB });
    expect(cluster.jobs()).toHaveLength(1);
  });

  it('says what is wrong with a job file, and where', async () => {
    const { submit } = await world();
    expect(await submit('name: a\nsteps: broken\n')).toMatchObject({
      status: 400,
      body: {
        errors: ['job.yaml:2:1: broken; expected a whole [MR-JOB-SYNTAX]'],
        problems: [{ line: 2, column: 1, code: 'MR-JOB-SYNTAX', message: 'broken' }],
        error: { code: 'MR-CLUSTER-JOB-FILE' },
      },
    });
  });

  it.each([['fresh=true&from=x'], ['jobid=ABC'], ['set=novalue'], ['frehs=true'], ['set=9A=1']])(
    'refuses to submit with ?%s',
    async (query) => {
      const { cluster, submit } = await world();
      expect(await submit('name: a\n', `?${query}`)).toMatchObject({ status: 400 });
      expect(cluster.submissions).toEqual([]);
    },
  );

  it('cancels, both ways, and not what has ended otherwise', async () => {
    const { cluster, ask, submit } = await world();
    await submit();
    expect(await ask('PATCH', `/jobs/${JOB}?mode=cancel`)).toMatchObject({ status: 202, body: {} });
    expect((await ask('GET', `/jobs/${JOB}/status`)).body).toEqual({ status: 'CANCELED' });
    expect(await ask('GET', `/jobs/${JOB}/yarn-cancel`)).toMatchObject({ status: 202 });
    cluster.end(JOB, 'FINISHED');
    expect(await ask('PATCH', `/jobs/${JOB}`)).toMatchObject({ status: 409 });
    expect(cluster.told).toEqual([`cancel ${JOB}`]);
  });

  it('writes a savepoint behind the scenes, once for a trigger', async () => {
    const { cluster, ask, submit } = await world();
    await submit();
    let release = (): void => undefined;
    cluster.beforeEnd = () => new Promise((resolve) => (release = resolve));
    const triggerId = '7'.repeat(32);
    const payload = { 'target-directory': '/there', triggerId, formatType: 'CANONICAL' };
    for (let times = 0; times < 2; times++) {
      expect(await ask('POST', `/jobs/${JOB}/savepoints`, { payload })).toMatchObject({
        status: 202,
        body: { 'request-id': triggerId },
      });
    }
    const read = () => ask('GET', `/jobs/${JOB}/savepoints/${triggerId}`);
    expect((await read()).body).toEqual({ status: { id: 'IN_PROGRESS' } });
    release();
    const done = await until(read, ({ body }) => JSON.stringify(body).includes('COMPLETED'));
    expect(done.body).toEqual({ status: { id: 'COMPLETED' }, operation: { location: '/there/savepoint-1' } });
    expect(cluster.told).toEqual([`savepoint ${JOB} to /there stops false drains false`]);
    expect((await ask('GET', `/jobs/${JOB}/savepoints/${UNKNOWN}`)).status).toBe(404);
  });

  it('stops with a savepoint, and tells why it could not', async () => {
    const { cluster, ask, submit } = await world();
    await submit();
    cluster.beforeEnd = () => Promise.reject(new Error('no room'));
    const { body } = await ask('POST', `/jobs/${JOB}/stop`, { payload: { targetDirectory: null, drain: true } });
    const trigger = (body as Record<string, string>)['request-id'] ?? fail();
    const read = () => ask('GET', `/jobs/${JOB}/savepoints/${trigger}`);
    const done = await until(read, ({ body: answer }) => JSON.stringify(answer).includes('COMPLETED'));
    expect(done.body).toMatchObject({
      operation: { 'failure-cause': { class: 'MR-INTERNAL', error: { message: 'internal error: no room' } } },
    });
    expect(JSON.stringify(done.body)).not.toContain('.ts:');
    expect(cluster.told).toEqual([`savepoint ${JOB} to null stops true drains true`]);
    expect((await ask('GET', `/jobs/${JOB}/rescaling/${trigger}`)).status).toBe(404);
  });

  it('rebalances, and begins no more than it can remember', async () => {
    const { cluster, ask, submit } = await world();
    await submit();
    const asked = await ask('PATCH', `/jobs/${JOB}/rebalancing`);
    const trigger = (asked.body as Record<string, string>)['request-id'] ?? fail();
    const read = () => ask('GET', `/jobs/${JOB}/rebalancing/${trigger}`);
    const done = await until(read, ({ body: answer }) => JSON.stringify(answer).includes('COMPLETED'));
    expect(done.body).toMatchObject({ operation: { moved: [{ subtask: 1, from: 'tm-1', to: 'tm-2' }] } });
    const end = Promise.withResolvers<never>();
    end.promise.catch(() => undefined);
    cluster.beforeEnd = () => end.promise;
    const again = () => ask('PATCH', `/jobs/${JOB}/rebalancing`);
    const begun = await Promise.all(Array.from({ length: 201 }, again));
    expect(begun.filter(({ status }) => status === 202)).toHaveLength(200);
    expect(begun.at(-1)).toMatchObject({ status: 503, body: { error: { code: 'MR-REST-BUSY' } } });
    end.reject(new Error('over'));
    await until(again, ({ status }) => status === 202);
  });

  it('rescales, and drains TaskManagers', async () => {
    const { cluster, ask, submit } = await world();
    await submit();
    cluster.register('tm-1', null);
    expect((await ask('PATCH', `/jobs/${JOB}/rescaling?parallelism=3`)).status).toBe(202);
    expect((await ask('PATCH', `/jobs/${JOB}/rescaling?parallelism=0`)).status).toBe(400);
    expect(cluster.told).toEqual([`rescale ${JOB} to 3`]);
    const payload = { reason: 'disk', 'expires-in': 1000 };
    expect((await ask('POST', '/taskmanagers/tm-1/drain', { payload })).status).toBe(200);
    expect((await ask('GET', '/taskmanagers/tm-1')).body).toMatchObject({
      blocked: true,
      millrace: { drain: { reason: 'disk', 'expires-at': expect.any(Number) } },
    });
    expect((await ask('DELETE', '/taskmanagers/tm-1/drain')).status).toBe(200);
    expect((await ask('POST', '/taskmanagers/tm-1/drain')).status).toBe(200);
    expect(cluster.taskManagers()[0]?.drain).toMatchObject({ expiresAtMs: null });
    expect((await ask('POST', '/taskmanagers/tm-2/drain')).status).toBe(404);
  });
});

describe('what the REST API refuses', () => {
  it.each([
    ['GET', `/jobs/${UNKNOWN}`, 404],
    ['GET', `/jobs/${UNKNOWN}/config`, 404],
    ['GET', `/jobs/${JOB}/vertices/${UNKNOWN}`, 404],
    ['GET', '/jobs/1', 400],
    ['GET', `/jobs/${JOB.toUpperCase()}x`, 400],
    ['GET', '/jobs/..%2f..%2fetc%2fpasswd', 400],
    ['GET', '/jobs/%00', 400],
    ['GET', '/jobs/%zz', 400],
    ['GET', `/jobs/${'0'.repeat(300)}`, 414],
    ['GET', '/../etc/passwd', 404],
    ['GET', '//jobs', 404],
    ['GET', '/v1/v1/jobs', 404],
    ['GET', '/taskmanagers/..', 404],
    ['GET', '/taskmanagers/a%20b', 400],
    ['GET', `/jobs/${JOB}?__proto__=1`, 200],
    ['PATCH', `/jobs/${JOB}?mode=kill`, 400],
    ['POST', '/jars/upload', 404],
    ['DELETE', '/cluster', 404],
    ['GET', '/jobs/overview/', 404],
  ] as const)('%s %s: %d', async (method, url, status) => {
    const { ask } = await (shared.open ??= submittedWorld());
    const answer = await ask(method, url);
    expect(answer.status).toBe(status);
    if (status >= 400) expect(answer.body).toMatchObject({ errors: [expect.any(String)] });
  });

  it('bodies that are too large, of another kind, or not what they say', async () => {
    const { cluster, ask, submit } = await world();
    await submit();
    const stop = (payload: string, type: string) =>
      ask('POST', `/jobs/${JOB}/stop`, { payload, headers: { 'content-type': type } });
    expect((await submit('#'.repeat(8 * 1024 * 1024 + 1))).status).toBe(413);
    expect((await submit('')).status).toBe(400);
    expect((await stop('{}', 'text/plain')).status).toBe(415);
    expect((await stop('a=b', 'application/x-www-form-urlencoded')).status).toBe(415);
    expect((await stop('{', 'application/json')).status).toBe(400);
    expect((await stop('[]', 'application/json')).status).toBe(400);
    expect((await stop('{"drain":1,"what":2}', 'application/json')).status).toBe(400);
    expect((await stop('{"__proto__":{"drain":true}}', 'application/json')).status).toBe(400);
    expect((await stop('{"targetDirectory":"here"}', 'application/json')).status).toBe(400);
    expect((await ask('POST', '/jobs', { payload: {} })).status).toBe(400);
    expect(cluster.told).toEqual([]);
    expect(cluster.submissions).toHaveLength(1);
  });

  it('code, unless the cluster takes any, and code that leads out of its folder', async () => {
    const files = { 'a.ts': 'export class A {}' };
    const send = (served: World, code: unknown) => served.ask('POST', '/jobs', { payload: { job: 'name: a', code } });
    const closed = await world();
    expect(await send(closed, { files })).toMatchObject({ status: 403, body: { error: { code: 'MR-REST-NO-CODE' } } });
    const open = await world({ takesCode: true });
    for (const code of [
      { files: { '../a.ts': '' } },
      { files: {} },
      { files: { 'a.ts': 1, 'b.sh': '' } },
      { files, named: { './a.ts': 'b.ts' } },
      { files, module: { file: 'a.ts' } },
      { files, what: 1 },
    ]) {
      expect(await send(open, code)).toMatchObject({ status: 400 });
    }
    expect([...closed.cluster.submissions, ...open.cluster.submissions]).toEqual([]);
    expect(await send(open, { files, named: { './a.ts': 'a.ts' } })).toMatchObject({ status: 202 });
    expect(open.cluster.submissions).toMatchObject([
      { text: 'name: a', code: { named: { './a.ts': 'a.ts' }, module: null, bundle: { files: expect.any(Map) } } },
    ]);
  });

  it('is unmoved by what makes no sense at all', async () => {
    const { ask } = await (shared.open ??= submittedWorld());
    const methods = fc.constantFrom('GET' as const, 'POST' as const, 'PATCH' as const, 'DELETE' as const);
    const part = fc.oneof(fc.constantFrom('jobs', JOB, 'v1', '..', 'savepoints', ''), fc.webSegment());
    await fc.assert(
      fc.asyncProperty(methods, fc.array(part, { maxLength: 5 }), fc.string(), async (method, parts, payload) => {
        const { status } = await ask(method, `/${parts.join('/')}`, { payload });
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 50 },
    );
  });

  it('an internal error tells its place to the log alone', async () => {
    const { ask, logged } = await world({
      service: () => {
        throw new TypeError('a bug');
      },
    });
    const { status, body } = await ask('GET', '/jobs');
    expect({ status, body }).toMatchObject({ status: 500, body: { errors: ['MR-INTERNAL: internal error: a bug'] } });
    expect(JSON.stringify(body)).not.toContain('.ts');
    expect(logged.join('')).toMatch(/GET \/jobs failed: TypeError: a bug\n\s+at /);
  });
});

describe('who may use the REST API', () => {
  it.each([
    ['GET', '/jobs', 'see', 200],
    ['GET', '/jobs', 'turn', 200],
    ['GET', '/jobs', 'make', 200],
    ['GET', '/jobs', 'seE', 401],
    ['GET', '/jobs', '', 401],
    ['GET', '/leader', null, 401],
    ['PATCH', `/jobs/${JOB}`, 'see', 403],
    ['GET', `/jobs/${JOB}/yarn-cancel`, 'see', 403],
    ['PATCH', `/jobs/${JOB}`, 'turn', 202],
    ['POST', `/jobs?jobid=${JOB}`, 'turn', 403],
    ['POST', `/jobs?jobid=${JOB}`, 'make', 202],
    ['GET', '/healthz', null, 200],
    ['GET', '/', null, 200],
    ['GET', '/openapi.json', null, 200],
  ] as const)('%s %s with the token %s: %d', async (method, url, token, status) => {
    const { ask } = await (shared.withTokens ??= submittedWorld({ tokens: TOKENS }));
    const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const headers = { ...authorization, host: 'millrace.example' };
    const yaml = method === 'POST' ? { payload: 'name: a', headers: { ...headers, ...YAML } } : { headers };
    const answer = await ask(method, url, yaml);
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers['www-authenticate']).toContain('Bearer');
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'same-origin', origin: 'http://localhost:8081', host: 'localhost:8081' }, 202],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ host: 'rebound.example:8081' }, 403],
    [{ host: '127.0.0.1:8081' }, 202],
    [{ host: '[::1]:8081' }, 202],
  ])('a browser that sends %j without a token: %d', async (headers: Record<string, string>, status) => {
    const { ask } = await (shared.open ??= submittedWorld());
    expect((await ask('GET', `/jobs/${JOB}/yarn-cancel`, { headers })).status).toBe(status);
  });

  it.each([
    [{ host: 'localhost' }, null],
    [{ host: '127.8.9.1' }, null],
    [{ host: '::1' }, null],
    [{ host: '0.0.0.0' }, 'it has no token, and it has neither TLS'],
    [{ host: '127.0.0.1.example' }, 'it has no token'],
    [{ host: '::' }, 'it has no token'],
    [{ host: '10.0.0.1', hasTokens: true }, 'neither TLS nor `--insecure`'],
    [{ host: '10.0.0.1', hasTls: true }, 'it has no token'],
    [{ host: '10.0.0.1', isInsecureAllowed: true }, 'it has no token'],
    [{ host: '10.0.0.1', hasTokens: true, hasTls: true }, null],
    [{ host: '10.0.0.1', hasTokens: true, isInsecureAllowed: true }, null],
  ])('may serve %j: %s', (given, problem) => {
    const check = (): void => checkExposure({ hasTokens: false, hasTls: false, isInsecureAllowed: false, ...given });
    if (problem === null) expect(check).not.toThrow();
    else expect(check).toThrow(problem);
  });
});

function fail(): never {
  throw new Error('it is not there');
}
