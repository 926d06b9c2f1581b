import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { splitId, stepId, type CheckpointMetadata } from '../core/index.ts';
import { nodePorts } from '../core/node-ports.ts';
import { compileJob, type JobGraph } from '../graph/index.ts';
import { openCheckpointStorage } from '../state/index.ts';
import { catalog } from './catalog.ts';
import { describePlan, planDocument, planFor } from './restore-plan.ts';
import { stateSchemas } from './state-schemas.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'plan-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

interface Shape {
  readonly key?: string;
  readonly aggregates?: string;
  readonly totals?: string;
  readonly maxParallelism?: number;
}

async function graphOf(parallelism: number, shape: Shape = {}): Promise<JobGraph> {
  const { key = 'region', aggregates = 'total: SUM(n)', totals = 'totals', maxParallelism = 128 } = shape;
  const text = `name: sales
maxParallelism: ${maxParallelism}
checkpoint: {interval: 1s}
steps:
  - id: rows
    source: datagen
    with:
      fields:
        n: {kind: sequence, start: 1}
        region: {kind: sequence, start: 1}
    schema: {n: long, region: long}
  - id: ${totals}
    key: ${key}
    aggregate: {${aggregates}}
  - id: out
    sink: blackhole
`;
  const variables = (): undefined => undefined;
  const { jobGraph, problems } = await compileJob(text, { fileName: 'job.yaml', variables, catalog, parallelism });
  if (jobGraph === null) throw new Error(problems.map(({ message }) => message).join());
  return jobGraph;
}

/** A savepoint of that job at parallelism 2, all key groups of which have entries. */
async function savepoint(): Promise<{ readonly path: string; readonly stateFile: string }> {
  const graph = await graphOf(2);
  const root = join(directory, 'written');
  const storage = openCheckpointStorage({ kind: 'directory', path: root }, nodePorts);
  const writer = await storage.createFile(7, 'task');
  await writer.append(new Uint8Array(128));
  const file = await writer.finish();
  const schema = stateSchemas(graph).get('totals');
  if (schema === undefined) throw new Error('the job keeps totals');
  const chunks = Array.from({ length: 128 }, (_, keyGroup) => [keyGroup, keyGroup, 1]).flat();
  const subtask = { watermarkMs: null, committables: [], isFinished: false, splits: [], operators: [] };
  const splits = ['a', 'b'].map((id) => ({ id: splitId(id), position: {}, racks: [] }));
  const metadata: CheckpointMetadata = {
    ...{ version: 1, jobName: 'sales', checkpointId: 7, kind: 'savepoint', generation: 1, maxParallelism: 128 },
    ...{ triggeredAtMs: 1, completedAtMs: 1_700_000_000_000 },
    vertices: [
      {
        ...{ vertexId: 'v1', stepIds: [stepId('rows')], parallelism: 2 },
        subtasks: [{ ...subtask, subtaskIndex: 0, splits }, { ...subtask, subtaskIndex: 1 }],
      },
      {
        ...{ vertexId: 'v2', stepIds: [stepId('totals'), stepId('out')], parallelism: 2 },
        subtasks: [
          { ...subtask, subtaskIndex: 0, operators: [{ stepId: stepId('totals'), schema, file, chunks }] },
          { ...subtask, subtaskIndex: 1 },
        ],
      },
    ],
  };
  await storage.writeMetadata(metadata);
  return { path: join(root, 'chk-7'), stateFile: join(root, file.name) };
}

const planned = (graph: JobGraph, from: string | null, allowDroppedState = false) =>
  planFor(nodePorts, { graph, from, allowDroppedState, dataFolder: join(directory, 'data') });

describe('the plan of a restore', () => {
  it('keeps what is as it was', async () => {
    const { path } = await savepoint();
    expect(describePlan(await planned(await graphOf(2), path)).split('\n')).toEqual([
      'sales from savepoint 7, completed 2023-11-14T22:13:20.000Z',
      '',
      'step    state  because',
      'rows    kept   positions of 2 splits',
      'totals  kept   entries in 128 key groups',
      'out     kept   no state',
      '',
      'the job can start from it',
    ]);
  });

  it('says what moves at another parallelism, and what is migrated', async () => {
    const { path } = await savepoint();
    const text = describePlan(await planned(await graphOf(4, { aggregates: 'total: SUM(n), most: MAX(n)' }), path));
    expect(text).toContain('rows    kept      positions of 2 splits; 2 → 4 subtasks: splits are spread anew');
    expect(text).toContain('totals  migrated  most is new; 2 → 4 subtasks: 96 of 128 key groups move');
    expect(text).toContain('the job can start from it');
  });

  it('refuses what would be lost, unless that is allowed', async () => {
    const { path } = await savepoint();
    const graph = await graphOf(2, { totals: 'sums' });
    const text = describePlan(await planned(graph, path));
    expect(text).toContain('sums    new      the checkpoint has no such step');
    expect(text).toContain('totals  dropped  the job has no such step; it had entries in 128 key groups');
    expect(text).toContain('the job cannot start from it: the checkpoint has state of steps');
    expect(planDocument(await planned(graph, path))).toMatchObject({
      canStart: false,
      error: { code: 'MR-JOB-STATE-DROPPED' },
    });
    expect(planDocument(await planned(graph, path, true))).toMatchObject({ canStart: true, error: null });
  });

  it('knows what does not fit without running it', async () => {
    const { path } = await savepoint();
    const rekeyed = planDocument(await planned(await graphOf(2, { key: '[region, n]' }), path, true));
    expect(rekeyed).toMatchObject({ canStart: false, error: { code: 'MR-JOB-STATE-INCOMPATIBLE' } });
    const regrouped = await planned(await graphOf(2, { maxParallelism: 64 }), path);
    expect(regrouped.obstacle?.code).toBe('MR-JOB-MAX-PARALLELISM');
  });

  it('uses nothing of a damaged file', async () => {
    const { path, stateFile } = await savepoint();
    const graph = await graphOf(2);
    await nodePorts.files.writeText(stateFile, 'something else');
    await expect(planned(graph, path)).rejects.toMatchObject({ code: 'MR-STATE-DAMAGED' });
    await expect(planned(graph, null)).rejects.toMatchObject({ code: 'MR-CLI-NO-CHECKPOINT' });
  });
});
