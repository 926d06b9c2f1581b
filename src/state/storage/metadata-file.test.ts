import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  crc32c,
  sealEnvelope,
  type CheckpointMetadata,
  type CheckpointStorage,
  type StateFile,
} from '../../core/index.ts';
import { codeOf, countingRandomness, damages, SimulatedDisk } from '../../testing/index.ts';
import { DirectoryStorage } from './directory-storage.ts';
import { decodeJson, encodeJson } from './lossless-json.ts';

const ROOT = '/data/job/checkpoints';
const METADATA = { magic: 'MRCM', version: 1 };

const randomness = countingRandomness();

function newStorage(): { readonly disk: SimulatedDisk; readonly storage: CheckpointStorage } {
  const disk = new SimulatedDisk();
  return { disk, storage: new DirectoryStorage(ROOT, { files: disk.mount().files, randomness }) };
}

// Everything that metadata may hold.

const word = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '__proto__', '\0', '\0NaN'));
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const anyNumber = fc.oneof(fc.double(), fc.constantFrom(Infinity, -Infinity, NaN, -0, 2 ** 53, -(2 ** 63)));
const { option } = fc.letrec((tie) => ({
  option: fc.oneof(
    { maxDepth: 2 },
    fc.oneof(word, anyNumber, fc.boolean(), fc.constant(null)),
    fc.array(tie('option'), { maxLength: 3 }),
    fc.dictionary(word, tie('option'), { maxKeys: 3 }),
  ),
}));
const options = fc.dictionary(word, option, { maxKeys: 3 });
const { type } = fc.letrec((tie) => ({
  type: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('boolean', 'int', 'long', 'string', 'json', 'timestamp').map((kind) => ({ kind })),
    fc.record({ kind: fc.constant('decimal'), precision: fc.integer({ min: 1, max: 38 }), scale: fc.nat(38) }),
    fc.record({ kind: fc.constant('array'), element: tie('type') }),
    fc.record({ kind: fc.constant('map'), key: tie('type'), value: tie('type') }),
    fc.record({
      kind: fc.constant('row'),
      fields: fc.array(fc.record({ name: word, type: tie('type') }), { maxLength: 2 }),
    }),
  ),
}));
const schema = fc.record({ fields: fc.array(fc.record({ name: word, type }), { maxLength: 3 }) });
const stateFile = fc.record({
  name: fc.tuple(fc.nat(9), fc.stringMatching(/^[a-f]{1,9}$/)).map(([id, name]) => `chk-${id}/${name}.state`),
  sizeBytes: fc.integer({ min: 1000, max: Number.MAX_SAFE_INTEGER }),
  checksum: fc.stringMatching(/^[0-9a-f]{8}$/),
});
const chunk = fc.tuple(fc.nat(127), fc.nat(500), fc.nat(500));
const ahead = fc.array(fc.tuple(fc.nat(9), fc.nat(9), anyNumber), { minLength: 1, maxLength: 3 });
const subtask = fc.record(
  {
    subtaskIndex: fc.nat(9),
    splits: fc.array(
      fc.record(
        {
          id: word,
          position: options,
          racks: fc.array(word, { maxLength: 2 }),
          eventTime: fc.record({ maxTimestampMs: anyNumber, isIdle: fc.boolean() }),
        },
        { requiredKeys: ['id', 'position', 'racks'] },
      ),
      { maxLength: 2 },
    ),
    watermarkMs: fc.option(anyNumber),
    operators: fc.array(
      fc.record({
        stepId: word,
        schema: fc.record({ kind: word, version: fc.nat(9), key: schema, values: schema, settings: options }),
        file: stateFile,
        chunks: fc.array(chunk, { maxLength: 4 }).map((chunks) => chunks.flat()),
      }),
      { maxLength: 2 },
    ),
    committables: fc.array(
      fc.record({ stepId: word, subtaskIndex: fc.nat(9), checkpointId: count, data: options }),
      { maxLength: 2 },
    ),
    isFinished: fc.boolean(),
    ahead: ahead.map((runs) => runs.flat()),
  },
  { requiredKeys: ['subtaskIndex', 'splits', 'watermarkMs', 'operators', 'committables', 'isFinished'] },
);
const metadata = fc.record({
  version: fc.constant(1),
  jobName: word,
  checkpointId: fc.nat({ max: 2 ** 40 }),
  kind: fc.constantFrom('checkpoint', 'savepoint'),
  generation: count,
  triggeredAtMs: count,
  completedAtMs: count,
  maxParallelism: fc.integer({ min: 1, max: 32768 }),
  vertices: fc.array(
    fc.record({
      vertexId: word,
      stepIds: fc.array(word, { maxLength: 3 }),
      parallelism: fc.integer({ min: 1, max: 9 }),
      subtasks: fc.array(subtask, { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
}) as unknown as fc.Arbitrary<CheckpointMetadata>;

const SMALL = {
  version: 1,
  jobName: 'job',
  checkpointId: 5,
  kind: 'checkpoint',
  generation: 2,
  triggeredAtMs: 1,
  completedAtMs: 2,
  maxParallelism: 128,
  vertices: [],
} as const satisfies CheckpointMetadata;

const EMPTY = { fields: [] };

const withFiles = (
  files: readonly string[],
  chunks: readonly number[] = [3, 8, 2],
  key: object = EMPTY,
  more: object = {},
): unknown => ({
  ...SMALL,
  vertices: [
    {
      vertexId: 'v',
      stepIds: [],
      parallelism: 1,
      subtasks: [
        {
          subtaskIndex: 0,
          splits: [],
          watermarkMs: null,
          operators: files.map((name) => ({
            stepId: 's',
            schema: { kind: 'test', version: 1, key, values: EMPTY, settings: {} },
            file: { name, sizeBytes: 100, checksum: '01234567' },
            chunks,
          })),
          committables: [],
          isFinished: false,
          ...more,
        },
      ],
    },
  ],
});

/** Puts a metadata file of this content where nobody has written one. */
async function plant(disk: SimulatedDisk, path: string, body: Uint8Array, version = 1): Promise<StateFile> {
  const sealed = sealEnvelope({ ...METADATA, version }, body);
  const { files } = disk.mount();
  await files.makeDirectory(path.slice(0, path.lastIndexOf('/')));
  await (await files.open(path, 'create')).close();
  disk.poke(path, sealed);
  return { name: path, sizeBytes: sealed.length, checksum: crc32c(sealed).toString(16).padStart(8, '0') };
}

describe('metadata', () => {
  it('reads back as it was written, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(metadata, async (written) => {
        const { storage } = newStorage();
        const file = await storage.writeMetadata(written);
        const { checkpointId, generation } = written;
        expect(file.name).toMatch(new RegExp(`^chk-${checkpointId}/${generation}-[0-9a-f]{16}\\.metadata$`));
        expect(await storage.readMetadata(file)).toEqual(written);
        expect(await storage.findMetadata(`${ROOT}/chk-${checkpointId}`)).toEqual(file);
      }),
    );
  });

  it('keeps every number and every string of JSON', () => {
    fc.assert(fc.property(option, (value) => expect(decodeJson(encodeJson(value))).toEqual(value)));
  });

  it('is not read with any bit flipped or any byte missing, by its pointer or by its place', async () => {
    const { storage, disk } = newStorage();
    const file = await storage.writeMetadata(SMALL);
    const path = `${ROOT}/${file.name}`;
    const sound = disk.peek(path);
    for (const [what, bytes] of damages(sound)) {
      disk.poke(path, bytes);
      expect([what, await codeOf(storage.readMetadata(file))]).toEqual([what, 'MR-STATE-DAMAGED']);
      expect([what, await codeOf(storage.findMetadata(path))]).toEqual([what, 'MR-STATE-DAMAGED']);
    }
  });

  it('of a newer version is refused as such', async () => {
    const { storage, disk } = newStorage();
    const file = await plant(disk, `${ROOT}/chk-5/1-aa.metadata`, Buffer.from('whatever comes'), 2);
    expect(await codeOf(storage.readMetadata(file))).toBe('MR-STATE-NEWER-VERSION');
    expect(await codeOf(storage.findMetadata(`${ROOT}/chk-5`))).toBe('MR-STATE-NEWER-VERSION');
  });

  it.each<[string, unknown]>([
    ['no JSON', null],
    ['no checkpoint', []],
    ['a file that no storage makes', withFiles(['../../../etc/passwd'])],
    ['a file by an absolute name', withFiles(['/etc/passwd'])],
    ['chunks that are not threes', withFiles(['chk-5/a'], [1, 2])],
    ['chunks behind the end of their file', withFiles(['chk-5/a'], [1, 90, 11])],
    ['a type that does not exist', withFiles(['chk-5/a'], [], { fields: [{ name: 'a', type: { kind: 'x' } }] })],
    ['watermarks of no key groups', withFiles([], [], EMPTY, { ahead: [3, 7] })],
    ['watermarks of key groups that are no numbers', withFiles([], [], EMPTY, { ahead: [0, -1, 7] })],
    ['a parallelism of 0', { ...SMALL, maxParallelism: 0 }],
  ])('that holds %s is damaged, though its checksum is right', async (_what, content) => {
    const { storage, disk } = newStorage();
    const body = Buffer.from(content === null ? '{' : JSON.stringify(content));
    const file = await plant(disk, `${ROOT}/chk-5/1-aa.metadata`, body);
    expect(await codeOf(storage.readMetadata(file))).toBe('MR-STATE-DAMAGED');
  });
});

describe('metadata that an operator points to', () => {
  it('is found as a directory or as a file, in the storage or elsewhere', async () => {
    const { storage, disk } = newStorage();
    const inside = await storage.writeMetadata(SMALL);
    const outside = await plant(disk, '/backup/monday/1-aa.metadata', encodeJson(SMALL));
    expect(await storage.findMetadata(`${ROOT}/${inside.name}`)).toEqual(inside);
    expect(await storage.findMetadata(`${ROOT}/chk-5/`)).toEqual(inside);
    expect(await storage.findMetadata('/backup/monday')).toEqual(outside);
    expect(await storage.findMetadata('/backup/x/../monday/1-aa.metadata')).toEqual(outside);
    expect(await storage.readMetadata(outside)).toEqual(SMALL);
  });

  it('brings its files along from where it stands now', async () => {
    const { storage, disk } = newStorage();
    const content = encodeJson(withFiles(['chk-5/a.state', 'chk-4/b.state']));
    const file = await plant(disk, '/backup/monday/1-aa.metadata', content);
    const { vertices } = await storage.readMetadata(file);
    expect(vertices[0]?.subtasks[0]?.operators.map((operator) => operator.file.name)).toEqual([
      '/backup/monday/a.state',
      '/backup/chk-4/b.state',
    ]);
  });

  it('can be restored from a copy of the whole directory', async () => {
    const { storage, disk } = newStorage();
    const writer = await storage.createFile(5, 'owner');
    const position = await writer.append(Buffer.from('entries'));
    const state = await writer.finish();
    const written = withFiles([state.name], [0, position, 7]) as CheckpointMetadata;
    const fitting = JSON.parse(JSON.stringify(written).replace('"sizeBytes":100,"checksum":"01234567"',
      `"sizeBytes":${state.sizeBytes},"checksum":"${state.checksum}"`)) as CheckpointMetadata;
    const pointer = await storage.writeMetadata(fitting);
    const { files } = disk.mount();
    await files.makeDirectory('/copy');
    for (const name of [state.name, pointer.name]) {
      const target = `/copy/${name.split('/')[1] ?? ''}`;
      await (await files.open(target, 'create')).append(disk.peek(`${ROOT}/${name}`));
      await storage.remove(name);
    }
    const found = await storage.readMetadata(await storage.findMetadata('/copy'));
    const handle = found.vertices[0]?.subtasks[0]?.operators[0];
    if (handle === undefined) throw new Error('the copy has no operator');
    const reader = await storage.openFile(handle.file);
    expect(Buffer.from(await reader.read(position, 7)).toString()).toBe('entries');
  });

  it.each([
    ['/nowhere', 'there is no such directory, or it is empty'],
    ['/backup/none', 'nothing in it ends with .metadata; it holds notes.txt'],
    ['/backup/two', 'it has several, name one: 1-aa.metadata, 2-bb.metadata'],
    [ROOT, 'it holds checkpoints, name one: chk-5, chk-6'],
  ])('is not found at %s, which says why', async (location, reason) => {
    const { storage, disk } = newStorage();
    await storage.writeMetadata(SMALL);
    await storage.writeMetadata({ ...SMALL, checkpointId: 6 });
    await plant(disk, '/backup/none/notes.txt', Buffer.from('x'));
    await plant(disk, '/backup/two/1-aa.metadata', encodeJson(SMALL));
    await plant(disk, '/backup/two/2-bb.metadata', encodeJson(SMALL));
    const expected = { code: 'MR-STATE-NOT-FOUND', fields: { reason } };
    await expect(storage.findMetadata(location)).rejects.toMatchObject(expected);
  });

  it('is not a file of state', async () => {
    const { storage } = newStorage();
    const writer = await storage.createFile(5, 'owner');
    const { name } = await writer.finish();
    await expect(storage.findMetadata(`${ROOT}/${name}`)).rejects.toMatchObject({
      code: 'MR-STATE-DAMAGED',
      fields: { reason: 'it is a file of another kind' },
    });
  });
});
