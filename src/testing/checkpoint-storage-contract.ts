/**
 * What every CheckpointStorage must do, whatever it keeps its files in:
 * `it.each(checkpointStorageContract)('$title', ({ run }) => run(subject))` with a new subject for each.
 */
import assert from 'node:assert/strict';

import { checkpointIdOf, splitId, stepId } from '../core/index.ts';
import type { CheckpointMetadata, CheckpointStorage, StateFile } from '../core/index.ts';
import { refused } from './refusal.ts';

export interface CheckpointStorageSubject {
  /** The storage as one more thread or process opens it. */
  open(): CheckpointStorage;
  /** What a file holds. */
  bytesOf(name: string): Uint8Array | Promise<Uint8Array>;
  /** Changes a file behind the storage's back. */
  replace(name: string, bytes: Uint8Array): void | Promise<void>;
  /** What an operator would call the checkpoint that this metadata describes. */
  locationOf(metadata: StateFile): string;
}

export interface CheckpointStorageRequirement {
  readonly title: string;
  readonly run: (subject: CheckpointStorageSubject) => Promise<void>;
}

const CHECKPOINT = 7;

async function writeText(storage: CheckpointStorage, text: string, checkpointId = CHECKPOINT): Promise<StateFile> {
  const writer = await storage.createFile(checkpointId, 'vertex_0_1');
  await writer.append(Buffer.from(text));
  return writer.finish();
}

async function readText(storage: CheckpointStorage, file: StateFile, position: number): Promise<string> {
  const reader = await storage.openFile(file);
  const bytes = await reader.read(position, 'file 1'.length);
  await reader.close();
  return Buffer.from(bytes).toString();
}

function metadataOf(file: StateFile, checkpointId = CHECKPOINT): CheckpointMetadata {
  const id = stepId('count');
  const field = { name: 'total', type: { kind: 'decimal', precision: 38, scale: 2 } } as const;
  const [key, values] = [{ fields: [] }, { fields: [field] }];
  const schema = { kind: 'window', version: 2, key, values, settings: { size: 60 } };
  return {
    version: 1,
    jobName: 'job',
    checkpointId,
    kind: 'checkpoint',
    generation: 3,
    triggeredAtMs: 1_700_000_000_000,
    completedAtMs: 1_700_000_000_500,
    maxParallelism: 128,
    vertices: [
      {
        vertexId: 'v',
        stepIds: [id],
        parallelism: 1,
        subtasks: [
          {
            subtaskIndex: 0,
            splits: [
              {
                id: splitId('orders-0'),
                position: { offset: '9007199254740993', seen: [1, null, true], more: { depth: 1e300 } },
                racks: ['a'],
                eventTime: { maxTimestampMs: -Infinity, isIdle: true },
              },
            ],
            watermarkMs: Infinity,
            operators: [{ stepId: id, schema, file, chunks: [5, file.sizeBytes - 3, 3] }],
            committables: [{ stepId: id, subtaskIndex: 0, checkpointId, data: { producerId: '12', epoch: 3 } }],
            isFinished: true,
          },
        ],
      },
    ],
  };
}

/** Some of what can happen to a file. */
function someDamages(sound: Uint8Array): readonly Uint8Array[] {
  const flipped = [0, sound.length >> 1, sound.length - 1].map((at) => sound.with(at, (sound[at] ?? 0) ^ 1));
  return [...flipped, sound.subarray(0, sound.length - 1), Uint8Array.of(...sound, 0), new Uint8Array(0)];
}

/** Each runs against a subject of its own. */
export const checkpointStorageContract: readonly CheckpointStorageRequirement[] = [
  {
    title: 'gives back chunks at the positions that append() told, to another thread too',
    async run(subject) {
      const writer = await subject.open().createFile(CHECKPOINT, 'owner');
      const chunk = Buffer.alloc(300_000);
      const positions: number[] = [];
      // The bytes are the caller's again once append() has resolved.
      for (let value = 1; value <= 5; value++) positions.push(await writer.append(chunk.fill(value)));
      positions.push(await writer.append(new Uint8Array(0)));
      const reader = await subject.open().openFile(await writer.finish());
      for (let value = 1; value <= 5; value++) {
        const bytes = await reader.read(positions[value - 1] ?? -1, chunk.length);
        assert.equal(Buffer.compare(bytes, chunk.fill(value)), 0);
      }
      assert.equal((await reader.read(positions[5] ?? -1, 0)).length, 0);
      await reader.close();
    },
  },
  {
    title: 'gives every file a name of its own, in which the checkpoint can be told',
    async run(subject) {
      const storage = subject.open();
      const writers = await Promise.all([1, 2, 3].map(() => storage.createFile(CHECKPOINT, '../no/path\0')));
      const positions = await Promise.all(writers.map((writer, index) => writer.append(Buffer.from(`file ${index}`))));
      const files = await Promise.all(writers.map((writer) => writer.finish()));
      assert.equal(new Set(files.map(({ name }) => name)).size, 3);
      for (const [index, file] of files.entries()) {
        assert.equal(checkpointIdOf(file.name), CHECKPOINT);
        assert.equal(file.sizeBytes, (await subject.bytesOf(file.name)).length);
        assert.equal(await readText(storage, file, positions[index] ?? -1), `file ${index}`);
      }
    },
  },
  {
    title: 'keeps nothing of a file that was given up',
    async run(subject) {
      const storage = subject.open();
      const writer = await storage.createFile(CHECKPOINT, 'owner');
      await writer.append(new Uint8Array(2_000_000));
      await writer.abort();
      assert.deepEqual([...(await storage.list())], []);
    },
  },
  {
    title: 'opens no file that is damaged, short, too long or gone',
    async run(subject) {
      const storage = subject.open();
      const file = await writeText(storage, 'some state');
      const sound = await subject.bytesOf(file.name);
      for (const bytes of someDamages(sound)) {
        await subject.replace(file.name, bytes);
        await refused('MR-STATE-DAMAGED', storage.openFile(file));
      }
      await subject.replace(file.name, sound);
      await (await storage.openFile(file)).close();
      await storage.remove(file.name);
      await refused('MR-STATE-DAMAGED', storage.openFile(file));
    },
  },
  {
    title: 'opens no file in the place of another',
    async run(subject) {
      const storage = subject.open();
      const [one, other] = [await writeText(storage, 'one'), await writeText(storage, 'two')];
      await refused('MR-STATE-DAMAGED', storage.openFile({ ...one, name: other.name }));
    },
  },
  {
    title: 'reads metadata as it was written, every number as it was',
    async run(subject) {
      const storage = subject.open();
      const metadata = metadataOf(await writeText(storage, 'state'));
      const file = await storage.writeMetadata(metadata);
      assert.equal(checkpointIdOf(file.name), CHECKPOINT);
      const found = await subject.open().readMetadata(file);
      // Written out, because two realms' objects are never strictly equal.
      const shown = (value: unknown): string => JSON.stringify(value, (_key, item: unknown) =>
        typeof item === 'number' ? String(item) : item);
      assert.equal(shown(found), shown(metadata));
    },
  },
  {
    title: 'reads no metadata that is damaged, short, too long or gone',
    async run(subject) {
      const storage = subject.open();
      const file = await storage.writeMetadata(metadataOf(await writeText(storage, 'state')));
      const sound = await subject.bytesOf(file.name);
      for (const bytes of someDamages(sound)) {
        await subject.replace(file.name, bytes);
        await refused('MR-STATE-DAMAGED', storage.readMetadata(file));
      }
      await storage.remove(file.name);
      await refused('MR-STATE-DAMAGED', storage.readMetadata(file));
    },
  },
  {
    title: 'finds the checkpoint that an operator names, and says where there is none',
    async run(subject) {
      const storage = subject.open();
      const state = await writeText(storage, 'state');
      const file = await storage.writeMetadata(metadataOf(state));
      await storage.writeMetadata(metadataOf(state, CHECKPOINT + 1));
      const found = await storage.findMetadata(subject.locationOf(file));
      assert.deepEqual({ ...found }, { ...file });
      await storage.remove(file.name);
      await refused('MR-STATE-NOT-FOUND', storage.findMetadata(subject.locationOf(file)));
    },
  },
  {
    title: 'lists what there is, and removes what it is told to, once or again',
    async run(subject) {
      const storage = subject.open();
      assert.deepEqual([...(await storage.list())], []);
      const [one, two] = [await writeText(storage, 'one', 3), await writeText(storage, 'two', 4)];
      const metadata = await storage.writeMetadata(metadataOf(two, 4));
      assert.deepEqual([...(await storage.list())].sort(), [one.name, two.name, metadata.name].sort());
      await storage.remove(one.name);
      await storage.remove(one.name);
      assert.deepEqual([...(await storage.list())].sort(), [two.name, metadata.name].sort());
      await (await storage.openFile(two)).close();
    },
  },
];
