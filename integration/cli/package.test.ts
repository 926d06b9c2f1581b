import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { jsonLines, projectRoot, startCommand } from './run-millrace.ts';

const run = promisify(execFile);

const JOB = `name: first-rows
steps:
  - id: rows
    source: datagen
    with:
      count: 5
      fields:
        id: {kind: sequence, start: 1}
    schema: {id: long}
  - id: odd
    filter: id <> 3
  - id: out
    sink: print
`;

/** The same in TypeScript, with code, and its test. */
const MODULE = `import { job, long, string } from 'millrace';
import type { RowOf } from 'millrace';

const row = { id: long };
export const shown = ({ id }: RowOf<typeof row>) => ({ text: \`n\${id}\` });

export default job('typed')
  .source('rows', { connector: 'datagen', with: { count: 3, fields: { id: { kind: 'sequence' } } }, schema: row })
  .filter('some', ({ id }) => id !== 1)
  .map('shown', shown, { text: string })
  .sink('out', { connector: 'print' });
`;
const MODULE_TEST = `import { testJob, testStep } from 'millrace/testing';
import { int, long, string } from 'millrace';
import typed, { shown } from './job.ts';

const harness = await testJob(typed, { restarts: 'after-every-event' });
await harness.send([{ id: 1 }, { id: 7 }]);
const step = await testStep({ id: long }, (rows) => rows.map('shown', shown, { text: string }));
await step.send({ id: 8n });
console.log(JSON.stringify([...harness.take(), ...step.take()]));
// @ts-expect-error rows have the fields of the schema
if (int.text === '') await step.send({ di: 8n });
`;
/** As users have it who are not stricter than TypeScript wants them to be. */
const TYPESCRIPT = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2024',
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(projectRoot, 'node_modules', '@types')],
    lib: ['es2024', 'dom'],
  },
};

/** Writes the modules that stand in a page of the documentation, and returns their names. */
function writeBlocks(page: string, folder: string): readonly string[] {
  const text = readFileSync(join(projectRoot, 'docs', `${page}.md`), 'utf8');
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = ''], index) => {
    writeFileSync(join(folder, `${page}-${index}.ts`), block);
    return `${page}-${index}.ts`;
  });
}

/** What npm gives to scripts would tell an npm inside a script about the wrong project. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'));
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  return { ...Object.fromEntries(entries), PATH: path, npm_config_loglevel: 'error' };
}

describe('the checkout', () => {
  it('has a working `npx millrace`', async () => {
    const options = { cwd: projectRoot, env: cleanEnvironment() };
    const { stdout } = await run('npx', ['--no-install', 'millrace', '--version'], options);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('the package', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-package-'));
    const env = cleanEnvironment();
    await run('npm', ['pack', '--pack-destination', folder], { cwd: projectRoot, env, maxBuffer: 1 << 26 });
    const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    writeFileSync(join(folder, 'package.json'), '{"private": true}');
    // What is cached of the registry is asked anew: of some packages it may be older than of those that need them.
    const flags = ['--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags, `./${tarball ?? ''}`], { cwd: folder, env });
    writeFileSync(join(folder, 'job.yaml'), JOB);
  }, 300_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('lints and runs a job elsewhere, with slots on threads of built files', async () => {
    const env = cleanEnvironment();
    const linted = await run('npx', ['--no-install', 'millrace', 'lint', 'job.yaml'], { cwd: folder, env });
    expect(linted.stdout).toBe('job.yaml: valid\n');
    const { stdout } = await run('npx', ['--no-install', 'millrace', 'run', '-q', 'job.yaml'], { cwd: folder, env });
    expect(jsonLines(stdout)).toEqual([{ id: 1 }, { id: 2 }, { id: 4 }, { id: 5 }]);
  });

  it('runs jobs in TypeScript and JavaScript, and tests of them', async () => {
    const env = cleanEnvironment();
    writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
    writeFileSync(join(folder, 'job.ts'), MODULE);
    writeFileSync(join(folder, 'job.js'), MODULE.replace(/import type .*\n/, '').replace(': RowOf<typeof row>', ''));
    writeFileSync(join(folder, 'test.ts'), MODULE_TEST);
    for (const file of ['job.ts', 'job.js']) {
      const { stdout } = await run('npx', ['--no-install', 'millrace', 'run', '-q', file], { cwd: folder, env });
      expect(jsonLines(stdout)).toEqual([{ text: 'n0' }, { text: 'n2' }]);
    }
    const tested = await run(process.execPath, ['test.ts'], { cwd: folder, env });
    expect(tested.stdout).toBe('[{"text":"n7"},{"text":"n8"}]\n');
  });

  it('calls other processes', async () => {
    const room = (name: string): string => JSON.stringify(join(folder, 'node_modules/millrace/dist/src', name));
    const program = `
      import { nodePorts } from ${room('core/node-ports.js')};
      import { openGrpcTransport } from ${room('rpc/index.js')};
      const [a, b] = await Promise.all(['a', 'b'].map((processId) => {
        const listen = { host: '127.0.0.1', port: 0 };
        return openGrpcTransport({ listen, token: 'secret', tls: null, ports: nodePorts, processId });
      }));
      const { address } = a.serve('resource-manager', 'rm', { heartbeat: async ({ epoch }) => epoch + 1 });
      console.log(await b.connect('resource-manager', address).heartbeat({ epoch: 41 }));
      await Promise.all([a.close(), b.close()]);
    `;
    const called = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: folder });
    expect(called).toEqual({ stdout: '42\n', stderr: '' });
  });

  it('does what the documentation shows', async () => {
    const env = cleanEnvironment();
    const jobs = writeBlocks('typescript', folder);
    const tests = writeBlocks('testing', folder);
    expect([jobs.length, tests.length]).toEqual([5, 3]);
    const flags = ['--set', 'KAFKA_BROKERS=localhost:9092'];
    const linted = await run('npx', ['--no-install', 'millrace', 'lint', ...jobs, ...flags], { cwd: folder, env });
    expect(linted.stdout).toBe(jobs.map((name) => `${name}: valid\n`).join(''));
    const tested = await run(process.execPath, ['--test', '--test-reporter=tap', ...tests], { cwd: folder, env });
    expect(tested.stdout).toMatch(/^# pass 3$/m);
  });

  it('has types that users can build on', async () => {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...TYPESCRIPT, include: ['*.ts'] }));
    const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const checking = run(process.execPath, [compiler, '-p', folder], { cwd: folder });
    const checked = await checking.catch((error: unknown) => error);
    expect(checked).toMatchObject({ stdout: '' });
  });

  it('has types, and neither tests nor sources', () => {
    const files = readdirSync(join(folder, 'node_modules', 'millrace'), { recursive: true, encoding: 'utf8' });
    const shipped = ['dist/src/core/index.d.ts', 'dist/src/cli/slot-worker.js', 'dist/src/testing/kit/index.js'];
    const present = [...shipped, 'LICENSE', 'README.md', 'examples/typescript/card-rules.ts'];
    expect(files).toEqual(expect.arrayContaining(present));
    const ours = /\.test\.|testing\/(?:simulated|mini-cluster|scripted)|fixtures|fake/;
    expect(files.filter((name) => ours.test(name))).toEqual([]);
    const sources = files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
    expect(sources.filter((name) => !name.startsWith('examples/'))).toEqual([]);
  });

  it('asks for a newer Node in one line where there is none', async () => {
    const { exitCode, output, errors } = await runUnderOldNode(join(folder, 'node_modules'), ['--version'], folder);
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
    expect(errors).toMatch(/^millrace needs Node >= 24 and this is 20\.0\.0: .*\n$/);
  });
});

/** A Node that says it is 20; the process that bin/millrace.mjs starts says what it is. */
function startUnderOldNode(modules: string, args: readonly string[], folder: string) {
  const pretend = `if (!process.env.MILLRACE_RESTARTED)
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } });`;
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`;
  const bin = modules === '' ? 'bin/millrace.mjs' : join(modules, 'millrace', 'bin', 'millrace.mjs');
  return startCommand(process.execPath, ['--import', preload, bin, ...args], { folder });
}

function runUnderOldNode(modules: string, args: readonly string[], folder: string) {
  return startUnderOldNode(modules, args, folder).ended;
}

describe('an older Node', () => {
  it('gives way to the pinned one, with arguments, streams and exit code', async () => {
    const version = await runUnderOldNode('', ['--version'], projectRoot);
    expect(version).toMatchObject({ exitCode: 0, errors: '' });
    expect(version.output).toMatch(/^\d+\.\d+\.\d+\n$/);
    const mistake = await runUnderOldNode('', ['lint', 'no such file'], projectRoot);
    expect(mistake.exitCode).toBe(2);
    expect(mistake.errors).toContain('cannot read no such file');
  });

  it('passes signals on', async () => {
    const job = startUnderOldNode('', ['datagen', '--field', 'id=long', '--rate', '100'], projectRoot);
    await job.saying(/\{"id":/);
    job.signal('SIGTERM');
    expect((await job.ended).exitCode).toBe(130);
  });
});
