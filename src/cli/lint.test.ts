import { describe, expect, it } from '@jest/globals';

import { runFake } from './fixtures/fake-context.ts';

const FIVE_MISTAKES = `name: five
steps:
  - id: orders
    source: kafka
    with:
      bootstrap.servers: localhost:9092
      topic: orders
      format: jsn
    schema:
      amount: decimal(10,2)
      region: sting
  - id: large
    filter: amuont > 100
  - id: typo
    fliter: amount > 100
  - id: out
    from: large
    sink: print
`;

const VALID = `name: valid
steps:
  - id: rows
    source: datagen
    with: {count: 3}
    schema: {id: long}
  - id: out
    sink: print
`;

describe('millrace lint', () => {
  it('names every mistake with line and column, at once', async () => {
    const { exitCode, output, errors } = await runFake(['lint', 'job.yaml'], { files: { 'job.yaml': FIVE_MISTAKES } });
    expect({ exitCode, errors }).toEqual({ exitCode: 2, errors: '' });
    const form = /^job\.yaml:(\d+:\d+): error MR-JOB-[A-Z-]+: /;
    const places = output.trimEnd().split('\n').map((line) => form.exec(line)?.[1]);
    expect(places).toEqual(expect.arrayContaining(['6:7', '8:15', '11:15', '13:13', '15:5']));
    expect(output).toContain('did you mean `brokers`?');
    expect(output).toContain('did you mean `amount`?');
    expect(output).toContain('did you mean `filter`?');
  });

  it('shows the places on a terminal', async () => {
    const world = { files: { 'job.yaml': FIVE_MISTAKES }, isTerminal: true, variables: { NO_COLOR: '1' } };
    const { output } = await runFake(['lint', 'job.yaml'], world);
    expect(output).toContain('  13 |     filter: amuont > 100\n     |             ^^^^^^\n');
  });

  it('is one document for scripts', async () => {
    const files = { 'bad.yaml': FIVE_MISTAKES, 'good.yaml': VALID };
    const { exitCode, output } = await runFake(['lint', '--json', 'good.yaml', 'bad.yaml'], { files });
    const document = JSON.parse(output) as { valid: boolean; files: { valid: boolean; problems: object[] }[] };
    expect({ exitCode, valid: document.valid }).toEqual({ exitCode: 2, valid: false });
    expect(document.files.map(({ valid }) => valid)).toEqual([true, false]);
    expect(document.files[1]?.problems).toContainEqual(
      expect.objectContaining({ file: 'bad.yaml', line: 13, column: 13, severity: 'error', suggestion: 'amount' }),
    );
  });

  it('reads standard input, and says so', async () => {
    const good = await runFake(['lint', '-'], { standardInput: VALID });
    expect(good).toMatchObject({ exitCode: 0, output: '<stdin>: valid\n' });
    const bad = await runFake(['lint', '-'], { standardInput: 'name: x' });
    expect(bad.output).toMatch(/^<stdin>:1:1: error MR-JOB-MISSING-KEY/);
  });

  it('fills variables from --set, then from the environment', async () => {
    const files = { 'job.yaml': VALID.replace('{count: 3}', '\n      count: ${COUNT}') };
    const lint = (args: string[], variables: Record<string, string>) =>
      runFake(['lint', 'job.yaml', ...args], { files, variables });
    expect((await lint([], {})).output).toContain('MR-JOB-VARIABLE-MISSING');
    expect((await lint([], { COUNT: '5' })).exitCode).toBe(0);
    expect((await lint(['--set', 'COUNT=5'], { COUNT: 'many' })).exitCode).toBe(0);
    expect((await lint([], { COUNT: 'many' })).exitCode).toBe(2);
  });
});

describe('what other commands say of a bad file', () => {
  it.each(['run', 'explain', 'datagen'])('%s tells the mistakes and leaves standard output alone', async (command) => {
    const { exitCode, output, errors } = await runFake([command, 'job.yaml'], { files: { 'job.yaml': FIVE_MISTAKES } });
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' });
    expect(errors).toContain('job.yaml:13:13: error MR-JOB-');
    expect(errors).toMatch(/\d problems: the job file cannot be used\n$/);
  });
});
