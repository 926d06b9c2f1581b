import { describe, expect, it } from '@jest/globals';

import { catalog } from './catalog.ts';
import { runFake } from './fixtures/fake-context.ts';

const pairs = [...catalog.sources.keys()].flatMap((source) => [...catalog.sinks.keys()].map((sink) => [source, sink]));

describe('millrace create', () => {
  it.each(pairs)('makes a valid job from %s to %s', async (source = '', sink = '') => {
    const { exitCode, output, errors } = await runFake(['create', '--source', source, '--sink', sink]);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(await runFake(['lint', '-'], { standardInput: output })).toMatchObject({ output: '<stdin>: valid\n' });
  });

  it('names the job after the file, and never replaces one unasked', async () => {
    const made = await runFake(['create', 'jobs/my orders.yaml']);
    expect(made.exitCode).toBe(0);
    expect(made.files.get('jobs/my orders.yaml')).toContain('\nname: my-orders\n');
    expect(made.errors).toContain('wrote jobs/my orders.yaml');
    const files = { 'a.yaml': 'mine' };
    const refused = await runFake(['create', 'a.yaml'], { files });
    expect(refused).toMatchObject({ exitCode: 2, output: '' });
    expect(refused.errors).toContain('MR-CLI-FILE-EXISTS');
    expect(refused.files.get('a.yaml')).toBe('mine');
    expect((await runFake(['create', 'a.yaml', '--force'], { files })).files.get('a.yaml')).toContain('name: a\n');
  });

  it('has every line of the commented steps in working order', async () => {
    const { output } = await runFake(['create']);
    const uncommented = output.replace(/^ {2}# (?=- id: totals| {2})/gm, '  ');
    expect(uncommented).toContain('total: SUM(amount)');
    expect(await runFake(['lint', '-'], { standardInput: uncommented })).toMatchObject({ output: '<stdin>: valid\n' });
  });
});
