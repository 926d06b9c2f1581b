import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { nodePorts } from '../core/node-ports.ts';
import { absolutePlace } from './absolute-place.ts';
import { findPlace, keepPlace, savepointPlace, type PlaceRequest } from './checkpoint-place.ts';

let dataFolder: string;

beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'places-'));
});

afterEach(async () => {
  await rm(dataFolder, { recursive: true, force: true });
});

const s3 = { region: 'north' };

function request(location: string | null, jobName = 'a job'): PlaceRequest {
  return { ports: nodePorts, dataFolder, jobName, place: location === null ? undefined : { location, s3 } };
}

describe('where checkpoints are', () => {
  it('is the job’s own folder, of which nothing is written down', async () => {
    const own = await keepPlace(request(null, 'j'));
    expect(own).toEqual({ kind: 'directory', path: join(dataFolder, 'j', 'checkpoints'), s3: {}, older: [] });
    await expect(nodePorts.files.stat(join(dataFolder, 'j', 'places'))).resolves.toBeNull();
    expect(savepointPlace(own, null, 'sp').location).toBe(join(dataFolder, 'j', 'savepoints', 'sp'));
  });

  it('is a place of its own below the one that the job names, the same at every start', async () => {
    const first = await keepPlace(request('s3://bucket/jobs/'));
    const prefix = expect.stringMatching(/^jobs\/a-job~[0-9a-f]{16}\/[0-9a-f]{16}$/);
    const own = { kind: 'directory', path: expect.stringMatching(/a-job~[0-9a-f]{16}.checkpoints$/) };
    expect(first).toEqual({ kind: 's3', bucket: 'bucket', prefix, s3, older: [own] });
    expect(await keepPlace(request('s3://bucket/jobs'))).toEqual(first);
    expect(await findPlace(request('s3://bucket/jobs'))).toEqual(first);
    const [, job] = (first as { readonly prefix: string }).prefix.split('/');
    const savepoint = { kind: 's3', bucket: 'bucket', prefix: `jobs/${job ?? ''}/savepoints/sp`, s3 };
    const location = `s3://bucket/jobs/${job ?? ''}/savepoints/sp`;
    expect(savepointPlace(first, null, 'sp')).toEqual({ config: savepoint, location });
    const folder = join(dataFolder, 'here');
    expect(savepointPlace(first, folder, 'sp').config).toEqual({ kind: 'directory', path: join(folder, 'sp'), s3 });
  });

  it('is another one for another data folder', async () => {
    const one = await keepPlace(request('s3://bucket'));
    const other = await keepPlace({ ...request('s3://bucket'), dataFolder: join(dataFolder, 'other') });
    expect(one).not.toEqual(other);
    expect(other).toMatchObject({ kind: 's3', bucket: 'bucket' });
  });

  it('may change: what the job had before is looked into as well', async () => {
    const folder = join(dataFolder, 'shared');
    const one = await keepPlace(request(folder));
    expect(one.kind).toBe('directory');
    const two = await keepPlace(request('s3://bucket'));
    const own = expect.objectContaining({ kind: 'directory', path: expect.stringMatching(/checkpoints$/) });
    expect(two.older).toEqual([own, { kind: 'directory', path: (one as { readonly path: string }).path }]);
    expect((await keepPlace(request(null))).older).toHaveLength(2);
    expect(await keepPlace(request(folder))).toMatchObject({ kind: 'directory', path: (one as { path: string }).path });
  });

  it('is not guessed where the file that says it is damaged', async () => {
    await keepPlace(request('s3://bucket', 'j'));
    await nodePorts.files.writeText(join(dataFolder, 'j', 'places'), '{"version":1');
    await expect(keepPlace(request(null, 'j'))).rejects.toMatchObject({ code: 'MR-CLI-PLACES-DAMAGED' });
  });

  it('must be a path or a URL that is understood', () => {
    expect(absolutePlace('s3://bucket/here', '--to')).toBe('s3://bucket/here');
    expect(absolutePlace('/here', '--to')).toBe('/here');
    expect(() => absolutePlace('gs://bucket', '--to')).toThrow('--to gs://bucket: it begins with `gs://`');
  });
});
