import { afterEach, describe, expect, it } from '@jest/globals';

import { shape } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { startRestServer, type RestServer, type RestServerOptions } from '../../dispatcher/index.ts';
import { explainJob } from '../../graph/index.ts';
import type { HighAvailability, LeaderInfo } from '../../ha/index.ts';
import { FakeCluster, ManualClock, strangersCertificate, testCertificate } from '../../testing/index.ts';
import { catalog } from '../catalog.ts';
import { runFake, type FakeWorld } from '../fixtures/fake-context.ts';
import { ClusterClient } from './cluster-client.ts';
import { dispatchersAt, dispatchersBy } from './find-dispatchers.ts';
import { httpExchange, type HttpExchange } from './http-exchange.ts';
import { submitJob, variablesIn } from './submit-job.ts';

const servers: RestServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(overrides: Partial<RestServerOptions> = {}) {
  const cluster = new FakeCluster();
  const server = await startRestServer({
    service: () => cluster,
    leader: () => null,
    listen: { host: '127.0.0.1', port: 0 },
    tokens: null,
    tls: null,
    isInsecureAllowed: false,
    ports: nodePorts,
    explainJob: async (graph) => explainJob(graph, catalog),
    version: '1.2.3',
    ...overrides,
  });
  servers.push(server);
  const url = `http://127.0.0.1:${server.port}`;
  const run = (line: string, world: FakeWorld = {}) => runFake([...line.split(' '), '--dispatcher', url], world);
  const submitted = (name: string) => cluster.submit({ text: `name: ${name}`, variables: {} });
  return { cluster, url, run, submitted };
}

const FILE = { files: { 'job.yaml': 'name: orders\nbrokers: ${BROKERS}\ntopic: ${TOPIC:-t}${HOME}' } };

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nodePorts.macrotasks.yield();
}

describe('commands without an argument', () => {
  it('say what there is', async () => {
    const { cluster, run, submitted } = await serve();
    expect((await run('status')).output).toBe('jobs: 0\n\nTaskManagers: 0\n');
    const jobId = await submitted('orders');
    cluster.register('tm-1', jobId);
    const { exitCode, output } = await run('status');
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringMatching(/^jobs: 1\n/) });
    expect(output).toContain(`${jobId}  RUNNING  orders`);
    expect(output).toMatch(/TaskManagers: 1\nid .*\ntm-1 /);
    expect(JSON.parse((await run('status --json')).output)).toMatchObject({ taskmanagers: [{ id: 'tm-1' }] });
    expect((await run('list')).output).toMatch(/^connectors .*\nfunctions .*\nformats .*\njobs .*\ntaskmanagers .*\n$/);
  });
});

describe('millrace submit', () => {
  it('prints the id of the job, and sends the variables that the file means', async () => {
    const { cluster, run } = await serve();
    const world = { ...FILE, variables: { HOME: '/home', SECRET: 's', BROKERS: 'elsewhere' } };
    const line = 'submit job.yaml --set BROKERS=k:9092 --from /there --allow-dropped-state';
    const { exitCode, output } = await run(line, world);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringMatching(/^[0-9a-f]{32}\n$/) });
    expect(cluster.submissions).toEqual([
      {
        text: FILE.files['job.yaml'],
        jobId: output.trim(),
        variables: { BROKERS: 'k:9092', HOME: '/home' },
        start: { kind: 'from', location: '/there' },
        allowDroppedState: true,
      },
    ]);
  });

  it('shows what is wrong with the file as lint does', async () => {
    const { run } = await serve();
    const files = { 'job.yaml': 'name: a\nsteps: broken' };
    const { exitCode, output, errors } = await run('submit job.yaml', { files });
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
    expect(errors).toBe('job.yaml:2:1: error MR-JOB-SYNTAX: broken; expected a whole\n');
    const asJson = await run('submit job.yaml --json', { files });
    expect(JSON.parse(asJson.output)).toMatchObject({ jobId: null, problems: [{ file: 'job.yaml', line: 2 }] });
  });

  it.each([
    ['FINISHED', 0],
    ['CANCELED', 0],
    ['FAILED', 1],
  ] as const)('waits until the job has ended: %s is exit code %d', async (state, code) => {
    const { cluster, run } = await serve();
    const waiting = run('submit job.yaml --wait --json', FILE);
    await until(() => cluster.jobs().length > 0);
    cluster.end(cluster.jobs()[0]?.jobId ?? fail(), state);
    const { exitCode, output } = await waiting;
    expect(exitCode).toBe(code);
    expect(JSON.parse(output)).toMatchObject({ state });
  });

  it('refuses modules, and files that are not there', async () => {
    const { run } = await serve();
    expect(await run('submit job.ts')).toMatchObject({ exitCode: 2, errors: expect.stringContaining('cannot read') });
    const gone = await run('submit gone.yaml');
    expect(gone).toMatchObject({ exitCode: 2, errors: expect.stringContaining('cannot read') });
  });
});

describe('commands that ask a cluster', () => {
  it('show jobs and TaskManagers', async () => {
    const { cluster, run, submitted } = await serve();
    const jobId = await submitted('orders');
    cluster.register('tm-1-abc', jobId);
    expect((await run('list jobs')).output).toMatch(
      /^id +state +name +started +tasks\n0{31}1 +RUNNING +orders +1970-01-01T00:16:40.000Z +3 running\n$/,
    );
    expect(JSON.parse((await run('list jobs --json')).output)).toMatchObject([{ jid: jobId, state: 'RUNNING' }]);
    expect((await run('list taskmanagers')).output).toMatch(/tm-1-abc +host-1:6000 +a +host-1 +1 of 2\n$/);
    const status = await run('status orders');
    expect(status).toMatchObject({ exitCode: 0, errors: '' });
    expect(status.output).toContain('checkpoint  7, 1970-01-01T00:16:40.047Z');
    expect(status.output).toMatch(/a{32} +2 +2 running +12 +10 +tm-1/);
    expect(JSON.parse((await run(`status ${jobId} --json`)).output)).toMatchObject({ name: 'orders' });
  });

  it('change jobs', async () => {
    const { cluster, run, submitted } = await serve();
    const jobId = await submitted('orders');
    expect((await run('savepoint orders --to s3://bucket/x')).output).toBe('s3://bucket/x/savepoint-1\n');
    expect((await run('rescale orders -p 4')).output).toBe('orders goes on with parallelism 4\n');
    expect((await run('rebalance orders')).output).toBe(
      'orders is rebalanced\nsubtask 1 of each step: tm-1 -> tm-2\n',
    );
    expect(JSON.parse((await run('stop orders --drain --json')).output)).toEqual({
      job: 'orders',
      state: 'CANCELED',
      path: '/savepoints/savepoint-1',
    });
    const other = await submitted('orders');
    expect((await run('cancel orders')).output).toBe('orders has ended: CANCELED\n');
    expect(await run(`cancel ${other}`)).toMatchObject({ exitCode: 0 });
    expect(cluster.told).toEqual([
      `savepoint ${jobId} to s3://bucket/x stops false drains false`,
      `rescale ${jobId} to 4`,
      `rebalance ${jobId}`,
      `savepoint ${jobId} to null stops true drains true`,
      `cancel ${other}`,
    ]);
    cluster.end(other, 'FINISHED');
    const late = await run('stop orders');
    expect(late).toMatchObject({ exitCode: 2, errors: expect.stringContaining('MR-REST-CONFLICT') });
  });

  it('explain where a job runs, and where one would run', async () => {
    const { run, submitted } = await serve();
    await submitted('orders');
    const { output, exitCode } = await run('explain --placement orders');
    expect(exitCode).toBe(0);
    expect(output).toMatch(/^orders\n {2}needs 1 slots; 1 are free in the cluster\n/);
    expect(output).toContain('bytes from and to other racks: 2048 read, 7 sent\n  splits: 1 RACK_LOCAL, 1 ANY\n');
    expect(output).toMatch(/\n0 +tm-1 +a +host-1 +1 of its 2 splits are near\n/);
    expect(output).toMatch(/\nin +orders-1 +b +0 +ANY +no slot was free in b\n/);
    expect(output).toMatch(/\nin +out +rebalance +3 PROCESS_LOCAL, 1 ANY +25 %\n$/);
    expect(JSON.parse((await run('explain --placement orders --json')).output)).toMatchObject({ name: 'orders' });
    const would = await run('explain --placement job.yaml --set BROKERS=k', FILE);
    expect(would.output).toMatch(/^orders, if it were submitted now\n/);
    const large = await run('explain --placement job.yaml', { files: { 'job.yaml': 'name: large' } });
    expect(large.output).toBe(
      'large, if it were submitted now\n  needs 1 slots; 1 are free in the cluster\n' +
        '  waits for 9 slots (1 are free)\n',
    );
    const broken = await run('explain --placement job.yaml', { files: { 'job.yaml': 'broken' } });
    expect(broken).toMatchObject({ exitCode: 2, errors: expect.stringContaining('job.yaml:1:1: error MR-JOB-SYNTAX') });
    const nobody = await run('explain --placement nobody');
    expect(nobody).toMatchObject({ exitCode: 2, errors: expect.stringContaining('the cluster has no job nobody') });
  });

  it('tell why a savepoint could not be written', async () => {
    const { cluster, run, submitted } = await serve();
    await submitted('orders');
    cluster.beforeEnd = () => Promise.reject(new Error('no room'));
    const { exitCode, errors } = await run('savepoint orders');
    expect(exitCode).toBe(1);
    expect(errors).toContain('no room');
  });

  it('drain TaskManagers', async () => {
    const { cluster, run } = await serve();
    cluster.register('tm-1-abc', null);
    cluster.register('tm-2-abc', null);
    expect((await run('drain tm-1 --reason disk --for 1h')).output).toBe('tm-1-abc gets no more tasks\n');
    expect(cluster.taskManagers()[0]?.drain).toMatchObject({ reason: 'disk', expiresAtMs: expect.any(Number) });
    expect((await run('list taskmanagers tm-1-abc')).output).toMatch(/drained until \d{4}-.*: disk\n$/);
    expect((await run('undrain tm-1-abc --json')).output).toContain('"drained": false');
    expect(cluster.taskManagers()[0]?.drain).toBeNull();
    expect((await run('drain tm-')).errors).toContain('several TaskManagers begin with tm-');
    expect((await run('drain tm-1 --for soon')).errors).toContain('`for` must be a duration');
  });

  it.each([
    ['status nothing', 2, 'the cluster has no job nothing'],
    ['drain nothing', 2, 'the cluster has no TaskManager nothing'],
    ['list jobs --timeout 1', 2, '--timeout: `timeout` must be a duration'],
    ['list jobs --zookeeper localhost:1', 2, "'--dispatcher <url>' cannot be used with option '--zookeeper"],
    ['list jobs --token a\tb', 2, 'a token has printable characters'],
    ['rescale nothing', 2, "required option '-p, --parallelism <N>' not specified"],
  ])('%s: exit code %d', async (line, code, message) => {
    const { run } = await serve();
    const { exitCode, output, errors } = await run(line);
    expect(errors).toContain(message);
    expect({ exitCode, output }).toEqual({ exitCode: code, output: '' });
  });

  it('name two jobs of one name by their ids', async () => {
    const { run, submitted } = await serve();
    const ids = [await submitted('twins'), await submitted('twins')];
    const { exitCode, errors } = await run('cancel twins');
    expect(exitCode).toBe(2);
    for (const id of ids) expect(errors).toContain(id);
  });

  it('need a token where the cluster has some', async () => {
    const { run } = await serve({ tokens: { view: 'see', operate: null, deploy: 'make' } });
    const stranger = await run('list jobs');
    expect(stranger).toMatchObject({ exitCode: 2, errors: expect.stringContaining('MR-REST-UNAUTHORIZED') });
    expect(await run('list jobs --token see')).toMatchObject({ exitCode: 0 });
    const world = { ...FILE, variables: { MILLRACE_TOKEN: 'see' } };
    expect(await run('submit job.yaml', world)).toMatchObject({
      exitCode: 2,
      errors: expect.stringContaining('it takes a token for deploy, not for view'),
    });
  });

  it('find the cluster by the environment, but for a job whose folder is named', async () => {
    const { cluster, url, submitted } = await serve();
    await submitted('orders');
    const world = { variables: { MILLRACE_DISPATCHER: `${url}/` } };
    expect((await runFake(['savepoint', 'orders'], world)).output).toBe('/savepoints/savepoint-1\n');
    const local = await runFake(['savepoint', 'orders', '--data-dir', 'd'], world);
    expect(local).toMatchObject({ exitCode: 1, errors: expect.stringContaining('MR-CLI-NOT-RUNNING') });
    const unnamed = await runFake(['savepoint', 'orders']);
    expect(unnamed).toMatchObject({ exitCode: 1, errors: expect.stringContaining('MR-CLI-NOT-RUNNING') });
    expect(cluster.told).toHaveLength(1);
    expect(await runFake(['list', 'jobs', '--dispatcher', 'localhost:8081'])).toMatchObject({
      exitCode: 2,
      errors: expect.stringContaining('is no URL of a Dispatcher'),
    });
  });

  it('trust the authority that is named, and no other; standbys do as well', async () => {
    const tls = testCertificate;
    const { cluster, url: plain } = await serve({ tls });
    const leader = { dispatcherId: 'd', rpcAddress: 'd:1', restUrl: plain.replace('http', 'https'), epoch: 1 };
    const { url } = await serve({ tls, service: () => null, leader: () => leader });
    await cluster.submit({ text: 'name: orders', variables: {} });
    const secured = url.replace('http', 'https');
    const trusting = await runFake(['list', 'jobs', '--dispatcher', secured, '--tls-ca', 'ca.pem'], {
      files: { 'ca.pem': tls.ca },
    });
    expect(trusting).toMatchObject({ exitCode: 0, output: expect.stringContaining('orders') });
    const ask = (at: string, ca: string | null) =>
      httpExchange({ method: 'GET', url: `${at}/v1/jobs`, headers: {}, body: null, timeoutMs: 30_000, ca });
    for (const ca of [null, strangersCertificate.ca]) {
      await expect(ask(secured, ca)).rejects.toThrow(/certificate|signature/);
    }
    const stranger = await serve({ tls: strangersCertificate, service: () => null, leader: () => leader });
    expect(await ask(stranger.url.replace('http', 'https'), strangersCertificate.ca)).toMatchObject({
      status: 503,
      body: expect.stringContaining('does not answer'),
    });
  });

  it('say where they have looked where nobody answers', async () => {
    const { exitCode, errors } = await runFake(
      ['list', 'jobs', '--dispatcher', 'http://127.0.0.1:1,http://127.0.0.1:2', '--timeout', '300ms'],
    );
    expect(exitCode).toBe(1);
    expect(errors).toContain('MR-CLI-NO-DISPATCHER');
    expect(errors).toContain('at http://127.0.0.1:1, http://127.0.0.1:2:');
  });

  it('go to the next Dispatcher where one is gone, and wait for a leader', async () => {
    let asked = 0;
    const cluster = new FakeCluster();
    const { url } = await serve({ service: () => (++asked > 2 ? cluster : null) });
    const { exitCode, output } = await runFake(
      ['list', 'jobs', '--json', '--dispatcher', 'http://127.0.0.1:1', '--dispatcher', url],
    );
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '[]\n' });
    expect(asked).toBeGreaterThan(2);
  });
});

describe('a client of a cluster', () => {
  const { randomness } = nodePorts;

  function client(exchange: HttpExchange, url = 'http://d', clock = nodePorts.clock) {
    const finder = dispatchersAt([url]);
    const ports = { clock, randomness };
    return new ClusterClient({ finder, exchange, token: null, ca: null, timeoutMs: 1000, ports });
  }

  it('sends a job again under the same id where the answer was lost', async () => {
    const { cluster, url } = await serve();
    let losses = 2;
    const exchange: HttpExchange = async (request) => {
      const answer = await httpExchange(request);
      if (losses-- > 0) throw new Error('cut off');
      return answer;
    };
    const start = { kind: 'resume' } as const;
    const submission = { text: 'name: a', variables: {}, start, allowDroppedState: false, code: null };
    const long = new ClusterClient({
      finder: dispatchersAt([url]),
      exchange,
      token: null,
      ca: null,
      timeoutMs: 60_000,
      ports: nodePorts,
    });
    const jobId = await submitJob(long, submission);
    expect(cluster.submissions.map((each) => each.jobId)).toEqual([jobId, jobId, jobId]);
    expect(cluster.jobs()).toHaveLength(1);
  });

  it.each([
    [{ status: 200, body: '<html>' }, 'MR-CLI-ANSWER'],
    [{ status: 200, body: '{"jobs":[{}]}' }, 'MR-CLI-ANSWER'],
    [{ status: 404, body: '{"errors":["Not found: /jobs"]}' }, 'MR-CLI-REFUSED'],
    [{ status: 500, body: '{"error":{"code":"rm -rf"},"errors":[]}' }, 'MR-CLI-REFUSED'],
    [{ status: 403, body: 'Forbidden' }, 'MR-CLI-REFUSED'],
  ])('is told nonsense: %j', async (answer, code) => {
    const asking = client(() => Promise.resolve(answer)).ask(
      { path: '/jobs' },
      shape.fields({ jobs: shape.list(shape.fields({ id: shape.text })) }),
    );
    await expect(asking).rejects.toMatchObject({ code });
  });

  it('asks as long as it has been told to, and no longer', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const asking = client(() => {
      asked++;
      return Promise.resolve({ status: 503, body: '' });
    }, 'http://d', clock).ask({ path: '/jobs' }, shape.text);
    const refused = expect(asking).rejects.toMatchObject({ code: 'MR-CLI-NO-DISPATCHER' });
    for (let step = 0; step < 20; step++) {
      await nodePorts.macrotasks.yield();
      clock.advanceTo(step * 100);
    }
    await refused;
    expect(asked).toBe(4);
  });

  it('follows the leader that ZooKeeper names', async () => {
    let tell: (leader: LeaderInfo | null) => void = fail;
    const calls: string[] = [];
    const highAvailability = {
      watchLeader(onChange: typeof tell) {
        tell = onChange;
        return () => calls.push('stopped');
      },
      close: () => Promise.resolve(void calls.push('closed')),
    } as Partial<HighAvailability> as HighAvailability;
    const finder = dispatchersBy(highAvailability, 'zk:2181/c', () => null);
    expect(finder.candidates()).toEqual([]);
    expect(finder.problem()).toBe('no leader is known there');
    tell({ dispatcherId: 'a', rpcAddress: 'a:1', restUrl: 'http://a:8081/', epoch: 1 });
    expect(finder.candidates()).toEqual(['http://a:8081']);
    tell(null);
    expect(finder.candidates()).toEqual([]);
    await finder.close();
    expect(calls).toEqual(['stopped', 'closed']);
  });

  it('finds the variables of a file, and those alone', () => {
    const values: Record<string, string> = { A: '1', B: '2', C: '3' };
    expect(variablesIn('a: ${A}\nb: ${B:-x}${A}\nc: $C ${D}', (name) => values[name])).toEqual({ A: '1', B: '2' });
  });
});

function fail(): never {
  throw new Error('it is not there');
}
