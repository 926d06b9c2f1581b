import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { runFake } from './fixtures/fake-context.ts';

const job = (filter: string, count: string): string => `name: numbers
steps:
  - id: rows
    source: datagen
    with:
      ${count}
      fields:
        id: {kind: sequence, start: 1}
    schema: {id: long}
  - id: chosen
    select: {id: ${JSON.stringify(filter)}}
  - id: out
    sink: print
`;

describe('millrace run', () => {
  it('prints rows to standard output and the rest to standard error', async () => {
    const files = { 'job.yaml': job('id * 10', 'count: 3') };
    const { exitCode, output, errors } = await runFake(['run', 'job.yaml'], { files });
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '{"id":10}\n{"id":20}\n{"id":30}\n' });
    const [first, last] = errors.split('\n');
    expect(first).toBe('running numbers: rows (source datagen), chosen (select), out (sink print)');
    expect(last).toMatch(/^[\d.]+ s {2}FINISHED; rows read 3 \([^)]+\); out wrote 3 \([^)]+\)$/);
    expect((await runFake(['run', '-q', 'job.yaml'], { files })).errors).toBe('');
  });

  it('ends with a document where it is asked for one', async () => {
    const files = { 'job.yaml': job('id', 'count: 2').replace('sink: print', 'sink: blackhole') };
    const { exitCode, output } = await runFake(['run', '--json', 'job.yaml'], { files });
    expect(exitCode).toBe(0);
    expect(JSON.parse(output)).toMatchObject({
      job: 'numbers',
      state: 'FINISHED',
      error: null,
      steps: { rows: { numRecordsIn: 2 }, out: { numRecordsIn: 2 } },
    });
  });

  it('fails with the code, the step and the position of a bad record', async () => {
    const files = { 'job.yaml': job('10 / (id - 2)', 'count: 3') };
    const { exitCode, errors } = await runFake(['run', '-q', 'job.yaml'], { files });
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/^error MR-EXPR-[A-Z-]+: /);
    expect(errors).toContain('chosen');
    expect(errors).toContain('row 1');
    expect(errors).not.toMatch(/\n\s+at /);
    const document = await runFake(['run', '-q', '--json', 'job.yaml'], { files });
    const text = document.output.slice(document.output.indexOf('{\n'));
    expect(JSON.parse(text)).toMatchObject({ state: 'FAILED', error: { domain: 'user', fields: { step: 'chosen' } } });
  });

  it('is cancelled by a signal', async () => {
    const files = { 'job.yaml': job('id', 'rate: 10') };
    const onListening = (raise: () => void): void => void setTimeout(raise, 50);
    const { exitCode, errors } = await runFake(['run', 'job.yaml'], { files, onListening });
    expect(exitCode).toBe(130);
    expect(errors).toMatch(/\nstopping \(once more to stop at once\)\n.*CANCELED/);
  });
});

describe('what millrace run starts from', () => {
  it('is a checkpoint only where the job takes any', async () => {
    const files = { 'job.yaml': job('id', 'count: 3') };
    const { exitCode, errors } = await runFake(['run', 'job.yaml', '--from', 'elsewhere'], { files });
    expect(exitCode).toBe(2);
    expect(errors).toContain('give the job a `checkpoint:`');
  });

  it('is not to be dropped and taken at once', async () => {
    const files = { 'job.yaml': job('id', 'count: 3') };
    const { exitCode, errors } = await runFake(['run', 'job.yaml', '--from', 'elsewhere', '--fresh'], { files });
    expect(exitCode).toBe(2);
    expect(errors).toMatch(/'--fresh' cannot be used with/);
  });
});

describe('millrace run --stats', () => {
  it('writes what the process used by the time that so many records were read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-stats-'));
    try {
      const path = join(folder, 'stats.jsonl');
      const files = { 'job.yaml': job('id', 'count: 2000').replace('sink: print', 'sink: blackhole') };
      expect((await runFake(['run', '-q', '--stats', path, 'job.yaml'], { files })).exitCode).toBe(0);
      const samples = readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as object);
      expect(samples.at(-1)).toEqual({ elapsedMs: 1, cpuMs: 1, rssBytes: 1, recordsIn: 2000 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('millrace explain', () => {
  it('shows the plan, as a document too, without secrets', async () => {
    const kafka = `source: kafka
    with: {brokers: "b:1", topic: t, format: json, sasl: {username: u, password: hunter2}}`;
    const text = job('id', 'count: 1').replace(/source: datagen[\s\S]*start: 1\}/, kafka);
    const plain = await runFake(['explain', '-p', '2', '-'], { standardInput: text });
    expect(plain).toMatchObject({ exitCode: 0, errors: '' });
    expect(plain.output).toContain('source rows');
    expect(plain.output).toContain('parallelism 2');
    const json = await runFake(['explain', '--json', '-'], { standardInput: text });
    expect(JSON.parse(json.output)).toMatchObject({ name: 'numbers' });
    expect(plain.output + json.output).not.toContain('hunter2');
  });
});

describe('millrace schema', () => {
  it('prints a JSON Schema', async () => {
    const { exitCode, output } = await runFake(['schema']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ $schema: expect.stringContaining('json-schema.org') });
  });
});

describe('millrace datagen', () => {
  it('makes rows of flags, the same for the same seed', async () => {
    const args = ['datagen', '-n', '3', '--seed', '4', '--field', 'id=long', '--field', 'price=decimal(10,2)'];
    const { exitCode, output, errors } = await runFake(args);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    const rows = output.trimEnd().split('\n').map((line) => JSON.parse(line) as object);
    expect(rows).toHaveLength(3);
    expect(Object.keys(rows[0] ?? {})).toEqual(['id', 'price']);
    expect((await runFake(args)).output).toBe(output);
    expect((await runFake(args.map((arg) => (arg === '4' ? '5' : arg)))).output).not.toBe(output);
  });

  it('makes the rows of a job file, all fields, unfiltered', async () => {
    const text = job('id', 'count: 100').replace('schema: {id: long}', 'schema: {id: long, other: string}');
    const files = { 'job.yaml': text };
    const { exitCode, output } = await runFake(['datagen', 'job.yaml', '-n', '2'], { files });
    expect(exitCode).toBe(0);
    const rows = output.trimEnd().split('\n').map((line) => JSON.parse(line) as object);
    expect(rows).toEqual([{ id: 1, other: expect.any(String) }, { id: 2, other: expect.any(String) }]);
  });

  it('says what it lacks', async () => {
    const twice = ['datagen', '--field', 'a=int', '--nexmark', 'bid'];
    expect((await runFake(twice)).errors).toContain('MR-CLI-NOTHING-TO-GENERATE');
    expect((await runFake(['datagen', '--field', 'a=integre'])).errors).toMatch(/\(flags\):\d+:\d+: error MR-JOB-TYPE/);
    const files = { 'job.yaml': job('id', 'count: 1') };
    const { errors } = await runFake(['datagen', 'job.yaml', '--step', 'no'], { files });
    expect(errors).toContain('no generator is called no: rows');
  });
});
