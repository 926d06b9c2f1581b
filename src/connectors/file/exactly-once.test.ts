import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, rowSchema, types } from '../../core/index.ts';
import type {
  Committable,
  Committer,
  FileSystem,
  OptionValue,
  RunIdentity,
  SinkSpec,
  SinkWriter,
} from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { testContext } from '../test-context.ts';
import { fileSink } from './file-sink.ts';
import { COMMITS_PER_FILE } from './part-files.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-file-sink-'));
afterAll(() => rmSync(root, { recursive: true }));
let directories = 0;
const newDirectory = () => join(root, String(directories++));

function specOf(path: string, more: Readonly<Record<string, OptionValue>> = {}, format = 'json'): SinkSpec {
  const csv = { delimiter: ',', quote: '"', header: true, nullLiteral: '', missingColumns: 'fail' };
  return {
    stepId: 'out', connector: 'file', options: { path, overwrite: false, delivery: 'exactly-once', ...more },
    format: { name: format, options: format === 'csv' ? csv : {} },
    input: rowSchema([{ name: 'id', type: types.int }]), changelog: 'append', uniqueKey: [],
  };
}

function runOf(generation: number, jobName = 'job'): RunIdentity {
  const settings = {
    intervalMs: 1000, mode: 'exactly-once', timeoutMs: 1000, minPauseMs: 0, tolerableFailures: 0, retained: 1,
  } as const;
  return { clusterId: 'c', jobName, generation, settings };
}

/** Real files, that are not made durable: nobody pulls the plug here, and disks take their time. */
const files: FileSystem = {
  ...nodePorts.files,
  syncDirectory: () => Promise.resolve(),
  async open(path, mode) {
    const file = await nodePorts.files.open(path, mode);
    return { ...file, sync: () => Promise.resolve() };
  },
};

const context = (run: RunIdentity, subtaskIndex = 0) => ({
  ...testContext({ files, clock: nodePorts.clock }, subtaskIndex), run,
});

async function openWriter(spec: SinkSpec, run: RunIdentity, subtaskIndex = 0): Promise<SinkWriter> {
  const writer = fileSink.createWriter(spec);
  await writer.open(context(run, subtaskIndex));
  return writer;
}

async function write(spec: SinkSpec, writer: SinkWriter, ids: readonly number[]): Promise<void> {
  const batch = batchOf(spec.input, ids.map((id) => [id]));
  for (let row = 0; row < batch.rowCount; ) {
    row = writer.write(batch, row);
    if (row < batch.rowCount) await writer.writable();
  }
  writer.poke();
}

const prepareCommit = (writer: SinkWriter, id: number) =>
  writer.committing?.prepareCommit(id) ?? Promise.reject(new Error('the writer does not commit'));
const committerOf = (spec: SinkSpec, run: RunIdentity) => fileSink.createCommitter?.(spec, context(run)) as Committer;
const prepare = (spec: SinkSpec, isRestored = false) => fileSink.prepare(spec, { ...context(runOf(1)), isRestored });

/** A writer in a new directory, with one row that is prepared for checkpoint 1. */
async function preparedWriter() {
  const spec = specOf(newDirectory());
  await prepare(spec);
  const writer = await openWriter(spec, runOf(1));
  await write(spec, writer, [1]);
  return { spec, path: spec.options['path'] as string, writer, handles: await prepareCommit(writer, 1) };
}

/** What readers of the directory see. */
function visible(path: string): number[] {
  return readdirSync(path)
    .filter((name) => name.startsWith('part-'))
    .flatMap((name) => readFileSync(join(path, name), 'utf8').trimEnd().split('\n'))
    .map((line) => (JSON.parse(line) as { readonly id: number }).id);
}

const hidden = (path: string) => readdirSync(path).filter((name) => name.endsWith('.tmp'));

describe('a file sink that delivers exactly once', () => {
  it('shows files when their checkpoint is complete', async () => {
    const spec = specOf(newDirectory());
    const path = spec.options['path'] as string;
    await prepare(spec);
    const writer = await openWriter(spec, runOf(1));
    expect(await prepareCommit(writer, 1)).toEqual([]);
    await write(spec, writer, [1, 2]);
    const first = await prepareCommit(writer, 2);
    const data = { name: 'part-0-1-2.jsonl' };
    expect(first).toMatchObject([{ stepId: 'out', subtaskIndex: 0, checkpointId: 2, data }]);
    expect(visible(path)).toEqual([]);
    await write(spec, writer, [3]);
    const both = await prepareCommit(writer, 3);
    expect(both).toHaveLength(2);
    await writer.committing?.commit(1);
    expect(visible(path)).toEqual([]);
    await writer.committing?.commit(3);
    await writer.committing?.commit(3);
    expect(visible(path)).toEqual([1, 2, 3]);
    expect(readdirSync(path).filter((name) => !name.startsWith('.'))).toEqual(['part-0-1-2.jsonl', 'part-0-1-3.jsonl']);
    await writer.close();
  });

  it('makes files durable before they are promised, and writes names down before it gives them', async () => {
    const spec = specOf(newDirectory());
    const done: string[] = [];
    const kindOf = (path: string) => path.slice(path.lastIndexOf('.') + 1);
    const watched: FileSystem = {
      ...files,
      syncDirectory: () => Promise.resolve(void done.push('sync directory')),
      async open(path, mode) {
        const file = await files.open(path, mode);
        return { ...file, sync: () => Promise.resolve(void done.push(`sync ${kindOf(path)}`)) };
      },
      async rename(from, to) {
        await files.rename(from, to);
        done.push(`rename ${kindOf(from)} to ${kindOf(to)}`);
      },
    };
    await prepare(spec);
    const writer = fileSink.createWriter(spec);
    const given = context(runOf(1));
    await writer.open({ ...given, ports: { ...given.ports, files: watched } });
    await write(spec, writer, [1]);
    await prepareCommit(writer, 1);
    expect(done).toEqual(['sync tmp', 'sync directory']);
    await writer.committing?.commit(1);
    expect(done.slice(2)).toEqual(['sync commits', 'rename tmp to jsonl', 'sync directory']);
    await writer.close();
  });

  it('begins every file with the header, where the format has one', async () => {
    const spec = specOf(newDirectory(), {}, 'csv');
    await prepare(spec);
    const writer = await openWriter(spec, runOf(1));
    for (const id of [1, 2]) {
      await write(spec, writer, [id]);
      await prepareCommit(writer, id);
      await writer.committing?.commit(id);
      const path = join(spec.options['path'] as string, `part-0-1-${id}.csv`);
      expect(readFileSync(path, 'utf8')).toBe(`id\n${id}\n`);
    }
    await writer.close();
  });

  it('leaves nothing behind when a task ends, but what is prepared', async () => {
    const { spec, path, writer, handles } = await preparedWriter();
    await write(spec, writer, [2]);
    while (hidden(path).length < 2) await nodePorts.macrotasks.yield();
    await writer.close();
    expect(hidden(path)).toHaveLength(1);
    const other = committerOf(spec, runOf(2, 'another'));
    await other.abortOlder([{ generation: 1, parallelism: 1 }]);
    expect(hidden(path)).toHaveLength(1);
    const committer = committerOf(spec, runOf(2));
    await committer.commit(handles);
    await committer.commit(handles);
    expect(visible(path)).toEqual([1]);
    await committer.close();
  });

  it('knows what it has committed, though somebody has taken the files away', async () => {
    const { spec, path, writer, handles } = await preparedWriter();
    await writer.committing?.commit(1);
    await writer.close();
    rmSync(join(path, 'part-0-1-1.jsonl'));
    for (const generation of [2, 3, 4]) {
      const committer = committerOf(spec, runOf(generation));
      await committer.commit(handles);
      await committer.abortOlder([{ generation: 1, parallelism: 1 }]);
    }
    expect(visible(path)).toEqual([]);
    await committerOf(spec, runOf(5)).abortOlder([]);
    expect(readdirSync(path)).toEqual([]);
    await expect(committerOf(spec, runOf(6)).commit(handles)).rejects.toMatchObject({ code: 'MR-FILE-LOST' });
  });

  it('ends nothing of subtasks that go on, and leaves them what they have written down', async () => {
    const { spec, path, writer } = await preparedWriter();
    await writer.committing?.commit(1);
    await write(spec, writer, [2]);
    await prepareCommit(writer, 2);
    const all = () => readdirSync(path).filter((name) => name.startsWith('.'));
    const before = all();
    expect(before.map((name) => name.split('.').at(-1)).sort()).toEqual(['commits', 'tmp']);
    const committer = committerOf(spec, runOf(2));
    await committer.abortOlder([{ generation: 1, parallelism: 2, subtasks: [1] }]);
    expect(all()).toEqual(before);
    await committer.abortOlder([{ generation: 1, parallelism: 2, subtasks: [0] }]);
    expect(all()).toEqual([]);
    await writer.close();
  });

  it('says that output is lost, where somebody has touched it', async () => {
    const { spec, path, writer, handles } = await preparedWriter();
    await writer.close();
    const commit = () => committerOf(spec, runOf(2)).commit(handles);
    const temporary = join(path, hidden(path)[0] ?? '');
    const content = readFileSync(temporary);
    truncateSync(temporary, 3);
    await expect(commit()).rejects.toMatchObject({
      code: 'MR-FILE-LOST', message: expect.stringContaining(`it has 3 bytes instead of ${content.length}`),
    });
    rmSync(temporary);
    await expect(commit()).rejects.toMatchObject({
      code: 'MR-FILE-LOST',
      retry: 'never',
      message: expect.stringMatching(/checkpoint 1 \(step out, subtask 0\) is lost/),
    });
    writeFileSync(join(path, 'part-0-1-1.jsonl'), content);
    await commit();
    writeFileSync(join(path, 'part-0-1-1.jsonl'), '');
    await expect(commit()).rejects.toMatchObject({ code: 'MR-FILE-LOST' });
    const wrong = handles.map((handle): Committable => ({ ...handle, data: { version: 1 } }));
    await expect(committerOf(spec, runOf(2)).commit(wrong)).rejects.toThrow('not the handle of a file');
  });

  it('keeps what is there when the job goes on, and asks when it begins', async () => {
    const { spec, path, writer } = await preparedWriter();
    await writer.committing?.commit(1);
    await writer.close();
    await prepare(specOf(path, { overwrite: true }), true);
    expect(visible(path)).toEqual([1]);
    await expect(prepare(spec)).rejects.toMatchObject({ code: 'MR-FILE-EXISTS' });
    await prepare(specOf(path, { overwrite: true }));
    expect(visible(path)).toEqual([]);
  });

  it('keeps few names of what it has committed', async () => {
    const spec = specOf(newDirectory());
    await prepare(spec);
    const writer = await openWriter(spec, runOf(1));
    for (let id = 1; id <= 2 * COMMITS_PER_FILE + 1; id++) {
      await write(spec, writer, [id]);
      await prepareCommit(writer, id);
      await writer.committing?.commit(id);
    }
    await writer.close();
    const names = readdirSync(spec.options['path'] as string).filter((name) => name.endsWith('.commits'));
    expect(names).toEqual([1, 2].map((n) => expect.stringMatching(new RegExp(`^\\.[0-9a-f]{8}-1-0-${n}\\.commits$`))));
  }, 60_000);

  type Step = 'write' | 'complete' | 'complete, not told' | 'abort' | 'crash' | 'fail' | 'zombie';
  const steps: Step[] = ['write', 'write', 'complete', 'complete, not told', 'abort', 'crash', 'fail', 'zombie'];
  const step = fc.constantFrom(...steps);

  it('shows exactly what completed checkpoints hold, whatever ends when', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (scenario) => {
        const spec = specOf(newDirectory());
        const path = spec.options['path'] as string;
        let [generation, position, checkpointId] = [1, 0, 1];
        let completed: { position: number; handles: readonly Committable[] } = { position: 0, handles: [] };
        const zombies: SinkWriter[] = [];
        await prepare(spec);
        let writer = await openWriter(spec, runOf(1));
        const restart = async () => {
          generation++;
          const committer = committerOf(spec, runOf(generation));
          await committer.commit(completed.handles);
          const older = Array.from({ length: generation - 1 }, (_, n) => ({ generation: n + 1, parallelism: 1 }));
          await committer.abortOlder(older);
          await prepare(spec, completed.position > 0);
          writer = await openWriter(spec, runOf(generation));
          position = completed.position;
        };
        const carryOut = async (each: Step) => {
          switch (each) {
            case 'write':
              await write(spec, writer, [position, position + 1]);
              position += 2;
              return;
            case 'complete':
            case 'complete, not told':
            case 'abort': {
              const id = checkpointId++;
              const handles = await prepareCommit(writer, id);
              if (each === 'abort') return;
              completed = { position, handles };
              if (each === 'complete') await writer.committing?.commit(id);
              return;
            }
            case 'crash':
              zombies.push(writer);
              await restart();
              return;
            case 'fail':
              await writer.close();
              await restart();
              return;
            case 'zombie':
              // What was told too late, or not at all, changes nothing.
              for (const zombie of zombies) await write(spec, zombie, [-1]);
          }
        };
        for (const each of scenario) await carryOut(each);
        await carryOut('write');
        await carryOut('complete');
        expect(visible(path).sort((a, b) => a - b)).toEqual(Array.from({ length: completed.position }, (_, id) => id));
        await Promise.all([writer, ...zombies].map((each) => each.close()));
        expect(hidden(path)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});

describe('a file sink that delivers at least once', () => {
  it('goes on behind what is there, on a new line', async () => {
    const spec = specOf(newDirectory(), { delivery: 'at-least-once' });
    const path = join(spec.options['path'] as string, 'part-0.jsonl');
    await prepare(spec);
    const row = '{"id":7}\n';
    for (const [text, expected] of [['', row], ['{"id":1}\n', `{"id":1}\n${row}`], ['{"i', `{"i\n${row}`]] as const) {
      writeFileSync(path, text);
      await prepare(spec, true);
      const writer = await openWriter(spec, runOf(2));
      expect(writer.committing).toBeUndefined();
      await write(spec, writer, [7]);
      await writer.flush();
      await writer.close();
      expect(readFileSync(path, 'utf8')).toBe(expected);
    }
  });
});
