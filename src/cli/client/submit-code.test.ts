import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';

import { job, long } from '../../api/index.ts';
import { closeServedRest, serveRest } from '../../testing/index.ts';
import { runFake, type FakeWorld } from '../fixtures/fake-context.ts';

afterEach(closeServedRest);

const ROWS = { connector: 'datagen', with: { count: 3 }, schema: { id: long } } as const;
const MADE = job('made')
  .source('rows', ROWS)
  .filter('some', ({ id }) => id !== null && id > 1)
  .sink('out', { connector: 'print' });
const YAML = `name: named
steps:
  - {id: rows, source: datagen, with: {count: 3}, schema: {id: long}}
  - {id: rules, process: "./steps/\${WHICH}.ts#Rules", output: {id: long}}
  - {id: out, sink: print}
`;

/** Files are known by the names that were typed, and by their paths. */
function filesOf(files: Readonly<Record<string, string>>): NonNullable<FakeWorld['files']> {
  return { ...files, ...Object.fromEntries(Object.entries(files).map(([name, text]) => [resolve(name), text])) };
}

async function submit(line: string, world: FakeWorld, takesCode = true) {
  const { cluster, server } = await serveRest({ takesCode });
  const url = `http://127.0.0.1:${server.port}`;
  const result = await runFake([...line.split(' '), '--dispatcher', url], world);
  return { ...result, submissions: cluster.submissions };
}

const MODULE = {
  files: filesOf({
    'jobs/job.ts': "import '../lib/rates.ts'; const late = () => import('../lib/late.ts');",
    'lib/rates.ts': 'export const rate = 1;',
    'lib/late.ts': 'export const late = 1;',
    'package.json': '{"name": "secret", "type": "module"}',
  }),
  modules: { 'job.ts': { default: MADE } },
  imports: { 'job.ts': ['../lib/rates.ts', 'node:fs'] },
};

describe('millrace submit', () => {
  it('sends a module with what it imports, and the job that it makes', async () => {
    const { exitCode, submissions, errors } = await submit('submit jobs/job.ts', MODULE);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    const [submission] = submissions;
    expect(submission?.text).toMatch(/^name: "?made/);
    expect([...(submission?.code?.bundle.files ?? [])].map(([name]) => name)).toEqual([
      'jobs/job.ts',
      'lib/late.ts',
      'lib/rates.ts',
      'package.json',
    ]);
    expect(submission?.code?.bundle.files.get('package.json')).toBe('{"type":"module"}');
    expect(submission?.code).toMatchObject({
      named: {},
      module: { file: 'jobs/job.ts', name: 'default', roles: { some: 'filter' }, origin: { variables: {} } },
    });
  });

  it('sends the files that the steps of a job file name, by the names that they have there', async () => {
    const world = {
      files: filesOf({ 'jobs/job.yaml': YAML }),
      modules: { 'fast.ts': { Rules: class { readonly name = 'rules'; } } },
      variables: { WHICH: 'fast' },
    };
    const steps = { 'jobs/steps/fast.ts': 'export class Rules { process() {} }' };
    const there = { ...world, files: { ...world.files, ...filesOf(steps) } };
    const { submissions, errors } = await submit('submit jobs/job.yaml', there);
    expect(errors).toBe('');
    expect(submissions).toMatchObject([
      { text: YAML, variables: { WHICH: 'fast' }, code: { named: { './steps/fast.ts': 'fast.ts' }, module: null } },
    ]);
    // What is not here, or is not to be sent, is the cluster's.
    expect((await submit('submit jobs/job.yaml', world)).submissions[0]).not.toHaveProperty('code');
    expect((await submit('submit jobs/job.yaml --cluster-code', there)).submissions[0]).not.toHaveProperty('code');
  });

  it.each([
    ['a package', { imports: { 'job.ts': ['lodash'] } }, 'imports lodash, and no packages but `millrace`'],
    ['a name of its package.json', { imports: { 'job.ts': ['#rates'] } }, 'imports #rates, and only relative paths'],
    ['a file elsewhere', { imports: { 'job.ts': ['/etc/x.ts'] } }, 'imports /etc/x.ts, and only relative paths'],
    ['what is no code', { imports: { 'job.ts': ['../lib/a.node'] } }, 'neither TypeScript, JavaScript nor JSON'],
  ])('refuses to send %s', async (_what, world, message) => {
    const files = { ...MODULE.files, ...filesOf({ 'lib/a.node': '' }) };
    const { exitCode, errors, submissions } = await submit('submit jobs/job.ts', { ...MODULE, ...world, files });
    expect({ exitCode, errors }).toEqual({ exitCode: 2, errors: expect.stringContaining(message) });
    expect(submissions).toEqual([]);
  });

  it('says where a cluster takes no code', async () => {
    const { exitCode, errors } = await submit('submit jobs/job.ts', MODULE, false);
    expect({ exitCode, errors }).toEqual({ exitCode: 2, errors: expect.stringContaining('takes no code') });
  });
});
