import { cpSync, globSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { crc32c } from '@node-rs/crc32';

import { runMillrace, startCommand, startMillrace, type Ended } from '../cli/run-millrace.ts';

jest.setTimeout(300_000);

const JOB = `name: totals
restart: none
checkpoint: {interval: 100ms, retained: 1}
steps:
  - id: rows
    source: datagen
    with:
      rate: 2000
      fields:
        id: {kind: sequence, start: 0}
    schema: {id: long}
  - id: places
    select: {place: id % 100, id: id}
  - id: totals
    key: [place]
    aggregate: {total: SUM(id), rows: COUNT(*)}
  - id: out
    sink: blackhole
`;

/** Remembers more and more. */
const GROWING = JOB.replace('place: id % 100', 'place: id').replace('retained: 1', 'tolerableFailures: 1000');

/** A version that does not exist yet, in a file that is whole otherwise (docs/design/010, Envelope). */
function withNewerVersion(bytes: Buffer): Buffer {
  const newer = Buffer.from(bytes);
  newer.writeUInt32LE(99, 4);
  const checksumAt = newer.length - 8;
  const crc = crc32c(newer.subarray(0, checksumAt));
  newer.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, checksumAt);
  return newer;
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 4;
  writeFileSync(path, bytes);
}

describe('what a stopped job has left behind', () => {
  let folder: string;
  let original: string;
  /** The folder of the checkpoint that is resumed, within a data folder. */
  let checkpoint: string;
  let copies = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-damage-'));
    original = join(folder, 'original');
    await runUntil(/(^checkpoint \d+ completed[^]*){2}/m, JOB, '--data-dir', original);
    // Older ones may still be there, and one that was under way when the job was stopped.
    const [, id] = /^resuming checkpoint (\d+)/m.exec(await resume('--data-dir', copy())) ?? [];
    checkpoint = `totals/checkpoints/chk-${id ?? ''}`;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function copy(): string {
    copies += 1;
    const path = join(folder, `copy-${copies}`);
    cpSync(original, path, { recursive: true });
    return path;
  }

  function only(dataFolder: string, pattern: string): string {
    const found = globSync(join(dataFolder, pattern));
    expect(found).toHaveLength(1);
    return found[0] ?? '';
  }

  const metadata = (dataFolder: string): string => only(dataFolder, `${checkpoint}/*.metadata`);
  const state = (dataFolder: string): string => only(dataFolder, `${checkpoint}/*.state`);
  const run = (...args: readonly string[]): Promise<Ended> => runMillrace(['run', '-', ...args], { input: JOB });

  /** Runs a job until it has said that, and interrupts it; resolves to all that it said. */
  async function runUntil(pattern: RegExp, input: string, ...args: readonly string[]): Promise<string> {
    const job = startMillrace(['run', '-', ...args], { input });
    await job.saying(pattern);
    job.signal('SIGINT');
    const { exitCode, errors } = await job.ended;
    expect(exitCode).toBe(130);
    return errors;
  }

  /** Runs until the job goes on from a checkpoint and has completed one more. */
  const resume = (...args: readonly string[]): Promise<string> =>
    runUntil(/^resuming checkpoint \d+, completed .* ago\n[^]*^checkpoint \d+ completed/m, JOB, ...args);

  const damages: readonly (readonly [string, (path: string) => void])[] = [
    ['has a flipped bit', flipBit],
    ['is cut short', (path) => truncateSync(path, readFileSync(path).length - 5)],
    ['is empty', (path) => truncateSync(path, 0)],
    ['is gone', (path) => rmSync(path)],
    ['belongs to something else', (path) => writeFileSync(path, 'not a checkpoint')],
    ['was replaced by one of a newer version', (path) => writeFileSync(path, withNewerVersion(readFileSync(path)))],
  ];

  it.each(damages)('is refused when a file of state %s', async (_, damage) => {
    const dataFolder = copy();
    damage(state(dataFolder));
    const { exitCode, errors } = await run('--data-dir', dataFolder);
    expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: expect.stringContaining('error MR-STATE-DAMAGED: ') });
    expect(errors).toContain('start from an older checkpoint or savepoint');
    expect(errors).not.toMatch(/\n\s+at /);
  });

  it.each(damages)('is refused when its metadata %s', async (_, damage) => {
    const dataFolder = copy();
    damage(metadata(dataFolder));
    const { exitCode, errors } = await run('--data-dir', dataFolder);
    expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: expect.stringContaining('error MR-STATE-DAMAGED: ') });
  });

  it('is refused when the checkpoint that is asked for is of a newer version', async () => {
    const dataFolder = copy();
    const path = metadata(dataFolder);
    writeFileSync(path, withNewerVersion(readFileSync(path)));
    const { exitCode, errors } = await run('--data-dir', join(folder, 'elsewhere'), '--from', path);
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/^error MR-STATE-NEWER-VERSION: .*format 99; this one reads up to 1.*upgrade/m);
  });

  it('is never taken for nothing when the record of the job is damaged', async () => {
    const dataFolder = copy();
    flipBit(join(dataFolder, 'totals/job'));
    const { exitCode, errors } = await run('--data-dir', dataFolder);
    expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: expect.stringContaining('error MR-HA-DAMAGED: ') });
    const newer = copy();
    const path = join(newer, 'totals/job');
    writeFileSync(path, withNewerVersion(readFileSync(path)));
    const refused = await run('--data-dir', newer);
    expect(refused).toMatchObject({ exitCode: 2, errors: expect.stringContaining('error MR-HA-NEWER-VERSION: ') });
  });

  it('is left alone by --fresh and --from, which start from where they are told', async () => {
    const dataFolder = copy();
    const moved = join(folder, 'moved');
    renameSync(join(copy(), checkpoint), moved);
    flipBit(state(dataFolder));
    const anew = /^starting anew, as told\n[^]*^checkpoint \d+ completed/m;
    await runUntil(anew, JOB, '--data-dir', dataFolder, '--fresh');
    await resume('--data-dir', dataFolder);
    await resume('--data-dir', join(folder, 'another'), '--from', moved);
    await resume('--data-dir', join(folder, 'another'));
  });

  it('is what a job has that cannot write any more: it goes on, and is resumed from there', async () => {
    const dataFolder = join(folder, 'full');
    await runUntil(/^checkpoint \d+ completed: .*, (\d{3} kB|.* MB)$/m, GROWING, '--data-dir', dataFolder);
    // No file may be larger than so many KiB: what is written beyond fails as on a full disk.
    const limited = 'ulimit -f 64; exec "$0" bin/millrace.mjs run - --data-dir "$1"';
    const job = startCommand('bash', ['-c', limited, process.execPath, dataFolder], { input: GROWING });
    await job.saying(/(^checkpoint \d+ aborted: no space for [^]*){3}/m);
    job.signal('SIGINT');
    const { exitCode, errors } = await job.ended;
    expect(exitCode).toBe(130);
    expect(errors).not.toMatch(/^checkpoint .* completed/m);
    const [resumed] = /^resuming checkpoint \d+,/m.exec(errors) ?? ['none'];
    const again = await runUntil(/^checkpoint \d+ completed/m, GROWING, '--data-dir', dataFolder);
    expect(again).toContain(resumed);
  });

  it('belongs to one process at a time', async () => {
    const dataFolder = copy();
    const first = startMillrace(['run', '-', '--data-dir', dataFolder], { input: JOB });
    await first.saying(/^resuming checkpoint/m);
    const second = await run('--data-dir', dataFolder);
    expect(second).toMatchObject({ exitCode: 2, errors: expect.stringMatching(/^error MR-HA-LOCKED: .*process \d+/m) });
    first.signal('SIGKILL');
    await first.ended;
    await resume('--data-dir', dataFolder);
  });
});
