import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';

import { dispatcherProblems, taskManagerProblems } from './check-role.ts';
import { addRoleFlags, readRoleFlags } from './role-flags.ts';
import { clusterOptions, dispatcherRoleOptions, taskManagerRoleOptions } from './role-options.ts';
import { resolveSettings } from './role-settings.ts';

const dispatcherTable = { ...clusterOptions, ...dispatcherRoleOptions };
const taskManagerTable = { ...clusterOptions, ...taskManagerRoleOptions };
const TOKEN = 'a-token-of-sixteen';

interface World {
  readonly args?: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

function flagsOf(table: typeof dispatcherTable | typeof taskManagerTable, args: readonly string[]) {
  const command = addRoleFlags(new Command('role'), table).exitOverride();
  return readRoleFlags(command.parse(args, { from: 'user' }), table);
}

function world({ variables = {}, files = {} }: World) {
  return {
    variables,
    files: {
      async readText(path: string) {
        const text = files[path];
        if (text === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
        return Promise.resolve(text);
      },
      stat: (path: string) =>
        Promise.resolve(path in files ? { path, sizeBytes: 1, modifiedMs: 0, inode: 1 } : null),
    },
  };
}

function dispatcher(given: World = {}) {
  return resolveSettings(dispatcherTable, flagsOf(dispatcherTable, given.args ?? []), world(given));
}

function taskManager(given: World = {}) {
  return resolveSettings(taskManagerTable, flagsOf(taskManagerTable, given.args ?? []), world(given));
}

describe('the settings of a role', () => {
  it('come from a flag, else a variable, else the file, else the default', async () => {
    const files = { 'millrace.yaml': 'rest: {port: 1}\nrpc.port: 2\nslot-timeout: 3s\ntaskmanager.slots: 4\n' };
    const variables = { MILLRACE_REST_PORT: '5', MILLRACE_RPC_PORT: '6', MILLRACE_REST_HOST: '' };
    const settings = await dispatcher({ files, variables, args: ['--rest-port', '7'] });
    expect(settings).toMatchObject({
      'rest.port': 7,
      'rpc.port': 6,
      'slot-timeout': 3000,
      'rest.host': '127.0.0.1',
      'heartbeat.interval': 1000,
      'ha.directory': null,
    });
  });

  it('are those of the role alone, from a file that all roles share', async () => {
    const lines = ['rest.port: 1', 'taskmanager: {slots: 4, tags: [a, b]}', 'taskmanager.rack: ${RACK}'];
    const files = { 'cluster.yaml': lines.join('\n') };
    const settings = await taskManager({ files, args: ['--config', 'cluster.yaml'], variables: { RACK: 'r1' } });
    expect(settings).toMatchObject({
      'taskmanager.slots': 4,
      'taskmanager.tags': ['a', 'b'],
      'taskmanager.rack': 'r1',
    });
    expect(Object.keys(settings)).not.toContain('rest.port');
  });

  it('are not given where the file names a variable that is not set, and nothing instead', async () => {
    const text = `rest.token: {deploy: "${TOKEN}", view: "\${VIEW_TOKEN:-}"}\ntaskmanager.rack: \${RACK:-}\n`;
    const files = { 'millrace.yaml': text };
    expect(await dispatcher({ files })).toMatchObject({ 'rest.token.deploy': TOKEN, 'rest.token.view': null });
    expect(await taskManager({ files })).toMatchObject({ 'taskmanager.rack': null });
  });

  it('of the file are left alone where that is asked for', async () => {
    const files = { 'millrace.yaml': 'rest.port: nonsense\n' };
    expect(await dispatcher({ files, args: ['--no-config'] })).toMatchObject({ 'rest.port': 8081 });
  });

  it('are refused with all that is wrong, where it stands, without secrets', async () => {
    const lines = ['rest.prot: 1', 'state.checkpoints.dir: /c', 'rest: {port: 70000}', 'no-such-thing: 1', ''];
    const files = { 'millrace.yaml': lines.join('\n') };
    const variables = { MILLRACE_RPC_TOKEN: 'top secret', MILLRACE_SLOT_TIMEOUT: '10' };
    const refused = dispatcher({ files, variables, args: ['--rpc-port', 'x'] });
    await expect(refused).rejects.toMatchObject({ code: 'MR-CLI-SETTINGS' });
    const message = String(await refused.catch((error: unknown) => error));
    expect(message).toContain('millrace.yaml:1:1: unknown setting `rest.prot`; did you mean `rest.port`?');
    expect(message).toContain('`state.checkpoints.dir`; did you mean `checkpoints.place`?');
    expect(message).toContain('millrace.yaml:3:8: `rest.port` must be at most 65535');
    expect(message).toContain('millrace.yaml:4:1: unknown setting `no-such-thing`');
    expect(message).toContain('MILLRACE_SLOT_TIMEOUT: `slot-timeout` must be a duration');
    expect(message).toContain('MILLRACE_RPC_TOKEN: `rpc.token` must be of printable characters');
    expect(message).toContain('--rpc-port: `rpc.port` must be a number');
    expect(message).not.toContain('top secret');
  });

  it('are refused where the file that was named is not there', async () => {
    await expect(dispatcher({ args: ['--config', 'gone.yaml'] })).rejects.toMatchObject({
      code: 'MR-CLI-UNREADABLE-FILE',
    });
  });
});

describe('settings together', () => {
  it.each<[World, readonly string[]]>([
    [{}, []],
    [{ args: ['--zookeeper', 'a:1', '--ha-directory', 'd'] }, ['only one of them', '`checkpoints.place` is required']],
    [{ args: ['--ha-zookeeper-acl', 'creator-all'] }, ['needs `ha.zookeeper.user`']],
    [{ args: ['--ha-zookeeper-user', 'me'] }, ['go together']],
    [{ args: ['--tls-cert', 'c'] }, ['`tls.cert`, `tls.key` and `tls.ca` go together']],
    [{ args: ['--rest-host', '10.0.0.1'] }, ['`rest.token.deploy` is required', '--insecure']],
    [{ args: ['--rest-host', '0.0.0.0', '--insecure'] }, ['`rest.token.deploy` is', 'advertised-host` says how']],
    [{ args: ['--rpc-host', '10.0.0.1', '--insecure'] }, ['`rpc.token` is required']],
    [{ args: ['--rpc-host', '10.0.0.1'], variables: { MILLRACE_RPC_TOKEN: TOKEN } }, ['--insecure']],
    [{ args: ['--rpc-host', '10.0.0.1', '--insecure'], variables: { MILLRACE_RPC_TOKEN: TOKEN } }, []],
    [{ args: ['--rpc-host', '::', '--insecure'], variables: { MILLRACE_RPC_TOKEN: TOKEN } }, ['names no machine']],
    [{ variables: { MILLRACE_REST_TOKEN_VIEW: TOKEN } }, ['`rest.token.view` needs']],
    [{ args: ['--heartbeat-interval', '5s'] }, ['must be longer']],
    [{ args: ['--rpc-advertised-port', '7001'] }, ['needs `rpc.port`']],
    [{ args: ['--rpc-advertised-port', '7001', '--rpc-port', '6001'] }, []],
  ])('of a Dispatcher: %j', async (given, problems) => {
    const found = dispatcherProblems(await dispatcher(given));
    expect(found).toHaveLength(problems.length);
    problems.forEach((problem, i) => expect(found[i]).toContain(problem));
  });

  it('of a TaskManager', async () => {
    const settings = await taskManager({
      args: ['--data-host', '0.0.0.0', '--data-port', '65535', '--slots', '2', '--insecure'],
    });
    const found = taskManagerProblems(settings);
    expect(found).toHaveLength(2);
    expect(found[0]).toContain('`rpc.token` is required');
    expect(found[1]).toContain('up to 65536');
    const forwarded = await taskManager({ args: ['--data-advertised-port', '65535', '--slots', '2'] });
    const [needs, beyond] = taskManagerProblems(forwarded);
    expect(needs).toContain('needs `taskmanager.data-port`');
    expect(beyond).toContain('`taskmanager.data-advertised-port` 65535: the slots take the ports up to 65536');
  });
});
