import { describe, expect, it } from '@jest/globals';

import { runFake } from './fixtures/fake-context.ts';

describe('the command line', () => {
  it('prints the version alone', async () => {
    expect(await runFake(['--version'])).toMatchObject({ exitCode: 0, output: '1.2.3\n', errors: '' });
  });

  it('prints help where it was asked for, and usage where it was not', async () => {
    const asked = await runFake(['--help']);
    expect(asked).toMatchObject({ exitCode: 0, errors: '' });
    expect(asked.output).toContain('lint');
    expect((await runFake(['help'])).output).toBe(asked.output);
    const bare = await runFake([]);
    expect(bare).toMatchObject({ exitCode: 2, output: '' });
    expect(bare.errors).toContain('Usage: millrace');
  });

  it('has help for every command', async () => {
    const building = ['run', 'lint', 'explain', 'create', 'schema', 'list', 'datagen', 'help', 'completion'];
    const asking = ['submit', 'status', 'cancel', 'savepoint', 'stop', 'rescale', 'rebalance', 'drain', 'undrain'];
    for (const command of [...building, ...asking]) {
      const { exitCode, output } = await runFake(['help', command]);
      expect({ command, exitCode }).toEqual({ command, exitCode: 0 });
      expect(output).toContain(`Usage: millrace ${command}`);
    }
  });

  it.each([
    [['lnit'], "unknown command 'lnit'"],
    [['run'], "missing required argument 'file'"],
    [['run', 'a.yaml', '--paralellism', '2'], 'Did you mean --parallelism?'],
    [['run', 'a.yaml', '--parallelism', '0'], 'Expected a whole number of at least 1.'],
    [['run', 'a.yaml', '--parallelism', '1e3'], 'Expected a whole number of at least 1.'],
    [['run', 'a.yaml', '--set', 'NAME'], 'Expected NAME=value'],
    [['lint', 'gone.yaml'], 'MR-CLI-UNREADABLE-FILE: cannot read gone.yaml: there is no such file or folder'],
    [['help', 'lnit'], 'did you mean `lint`?'],
    [['help', 'errors', 'MR-CLI-USAEG'], 'did you mean MR-CLI-USAGE?'],
    [['list', 'connectors', 'kafak'], 'did you mean `kafka`?'],
    [['list', 'things'], 'Allowed choices are connectors, functions, formats, jobs, taskmanagers.'],
    [['create', '--source', 'kafak'], 'did you mean `kafka`?'],
    [['completion', 'cmd'], 'Allowed choices are bash, zsh, fish.'],
    [['datagen'], 'MR-CLI-NOTHING-TO-GENERATE'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, output, errors } = await runFake(args);
    expect(errors).toContain(message);
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
    expect(errors).not.toMatch(/\n\s+at /);
  });

  it('shows the stack of what it does not expect', async () => {
    const broken = new Proxy<Record<string, string>>({}, {
      get(): never {
        throw new TypeError('a bug');
      },
    });
    const { exitCode, errors } = await runFake(['lint', 'job.yaml'], { files: { 'job.yaml': '' }, variables: broken });
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/error MR-INTERNAL: internal error: a bug\nTypeError: a bug\n\s+at /);
  });
});

describe('millrace help errors', () => {
  it('explains one', async () => {
    const { output } = await runFake(['help', 'errors', 'mr-cli-usage']);
    expect(output).toMatch(/^MR-CLI-USAGE\n/);
    expect(output).toContain('who acts  whoever wrote the job or its data');
    expect((await runFake(['help', 'MR-CLI-USAGE'])).output).toBe(output);
  });

  it('lists all, as a document too', async () => {
    const lines = (await runFake(['help', 'errors'])).output.trimEnd().split('\n');
    const documents = JSON.parse((await runFake(['help', 'errors', '--json'])).output) as { code: string }[];
    expect(lines).toHaveLength(documents.length);
    expect(documents.map(({ code }) => code)).toContain('MR-INTERNAL');
  });
});

describe('millrace completion', () => {
  it.each([
    ['bash', 'complete -o filenames -F _millrace millrace'],
    ['zsh', '#compdef millrace'],
    ['fish', "complete -c millrace -n '__fish_seen_subcommand_from run' -l parallelism"],
  ])('%s', async (shell, line) => {
    const { exitCode, output } = await runFake(['completion', shell]);
    expect(exitCode).toBe(0);
    expect(output).toContain(line);
    expect(output).toContain('connectors');
  });
});
