/** A cluster with certificates and tokens, and a job that is a TypeScript module in files of the client alone. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { waitUntil } from '../../scripts/services/index.ts';
import { strangersCertificate, testCertificate } from '../../src/testing/index.ts';
import { runMillrace, type Ended } from '../cli/run-millrace.ts';
import { ClusterProcess } from './cluster-process.ts';

jest.setTimeout(180_000);

const PATIENCE_MS = 90_000;
const TOKENS = {
  MILLRACE_RPC_TOKEN: 'between-processes',
  MILLRACE_REST_TOKEN_DEPLOY: 'who-may-deploy-jobs',
  MILLRACE_REST_TOKEN_VIEW: 'who-may-only-look',
};
const ROWS = 1000;
const PARTS = ['cert', 'key', 'ca'] as const;

const FILES = {
  'jobs/job.ts': `import { job, long } from 'millrace';
import type { JobEnvironment } from 'millrace';
import { isWanted } from '../rules/wanted.ts';

export default (env: JobEnvironment) =>
  job('secured', { parallelism: 2 })
    .source('rows', {
      connector: 'datagen',
      with: { count: ${ROWS}, fields: { id: { kind: 'sequence' } } },
      schema: { id: long },
    })
    .filter('wanted', ({ id }) => isWanted(id))
    .keyBy('id')
    .process('seen', class { process(row, context) { context.emit({ id: row.id }); } }, { schema: { id: long } })
    .sink('out', { connector: 'file', with: { path: env.get('OUT'), format: 'json' } });
`,
  'rules/wanted.ts': `export type Id = number | null;
export const isWanted = (id: Id): boolean => id !== null && id % 2 === 0;
`,
};

describe('a cluster with certificates and tokens', () => {
  let folder = '';
  let processes: ClusterProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-secured-'));
  });
  afterEach(async () => {
    await Promise.all(processes.map((each) => each.kill()));
    processes = [];
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  function start(name: string, role: 'dispatcher' | 'taskmanager', certificate: string, args: readonly string[]) {
    const common = ['--no-config', '--ha-directory', join(folder, 'ha'), ...certificateFlags(certificate)];
    const started = new ClusterProcess(name, [role, ...common, ...args], folder, TOKENS);
    processes.push(started);
    return started;
  }

  const certificateFlags = (name: string): readonly string[] =>
    PARTS.flatMap((part) => [`--tls-${part}`, join(folder, `${name}-${part}.pem`)]);

  function writeAll(): void {
    for (const [name, certificate] of Object.entries({ own: testCertificate, stranger: strangersCertificate })) {
      for (const part of PARTS) writeFileSync(join(folder, `${name}-${part}.pem`), certificate[part]);
    }
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(join(folder, 'client', name, '..'), { recursive: true });
      writeFileSync(join(folder, 'client', name), text);
    }
  }

  it('runs a module that was submitted, and lets no stranger in', async () => {
    writeAll();
    const places = ['--checkpoints-place', join(folder, 'checkpoints'), '--rest-port', '0'];
    const dispatcher = start('dispatcher', 'dispatcher', 'own', [...places, '--jobs-code-upload', 'with-token']);
    const manager = (name: string, certificate: string) =>
      start(name, 'taskmanager', certificate, ['--work-directory', join(folder, name)]);
    const managers = [manager('one', 'own'), manager('two', 'own')];
    const stranger = manager('three', 'stranger');
    const { restUrl = '' } = await dispatcher.ready;
    expect(restUrl).toMatch(/^https:/);
    await Promise.all([...managers, stranger].map((each) => each.ready));

    const ask = (args: readonly string[], token: string | null, ca = 'own'): Promise<Ended> =>
      runMillrace([...args, '--dispatcher', restUrl, '--tls-ca', join(folder, `${ca}-ca.pem`), '--timeout', '60s'], {
        folder: join(folder, 'client'),
        environment: { MILLRACE_TOKEN: token ?? '' },
        deadlineMs: 150_000,
      });
    const out = join(folder, 'out');
    mkdirSync(out);
    const submit = ['submit', 'jobs/job.ts', '--set', `OUT=${join(out, 'rows.jsonl')}`, '--wait'];
    const [run, unknown, looking, untrusted] = await Promise.all([
      ask(submit, TOKENS.MILLRACE_REST_TOKEN_DEPLOY),
      ask(['list', 'jobs'], null),
      ask(submit, TOKENS.MILLRACE_REST_TOKEN_VIEW),
      ask(['list', 'jobs', '--timeout', '1s'], TOKENS.MILLRACE_REST_TOKEN_VIEW, 'stranger'),
    ]);
    expect(run).toMatchObject({ exitCode: 0, errors: expect.stringContaining('FINISHED') });
    expect(unknown).toMatchObject({ exitCode: 2, errors: expect.stringContaining('MILLRACE_TOKEN') });
    expect(looking).toMatchObject({ exitCode: 2, errors: expect.stringContaining('MR-REST-FORBIDDEN') });
    expect(untrusted).toMatchObject({ exitCode: 1, errors: expect.stringContaining('certificate') });

    const ids = readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .flatMap((each) => readFileSync(join(each.parentPath, each.name), 'utf8').trim().split('\n'))
      .map((line) => (JSON.parse(line) as { readonly id: number }).id);
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: ROWS / 2 }, (_, index) => 2 * index));

    const { output } = await ask(['list', 'taskmanagers', '--json'], TOKENS.MILLRACE_REST_TOKEN_VIEW);
    const known = (JSON.parse(output) as readonly { readonly id: string }[]).map(({ id }) => id).sort();
    expect(known).toEqual(managers.map((each) => each.readyLine?.id ?? '').sort());
    await waitUntil(
      'the stranger to say why it is alone',
      () => (/leader-problem .*MR-RPC-UNREACHABLE.*certificate/i.test(stranger.logTail()) ? true : undefined),
      { timeoutMs: PATIENCE_MS },
    );
  });
});
