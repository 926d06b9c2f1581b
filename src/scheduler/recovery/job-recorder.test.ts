import { describe, expect, it } from '@jest/globals';
import { MemoryJobs } from '../../testing/index.ts';
import { newRecord } from './job-record.ts';
import { JobRecorder } from './job-recorder.ts';

const make = (jobs: MemoryJobs) => {
  const store = jobs.open();
  return { store, recorder: new JobRecorder(store, 'job', () => newRecord('job', 'c0ffee', 128)) };
};

const raise = (recorder: JobRecorder) =>
  recorder.update((record) => ({ ...record, generation: record.generation + 1 }));

describe('the recorder of a job', () => {
  it('makes a record where there is none, and writes one change after the other', async () => {
    const { store, recorder } = make(new MemoryJobs());
    expect((await recorder.read()).generation).toBe(0);
    expect(await store.read('job')).toBeNull();
    const written = await Promise.all([raise(recorder), raise(recorder), raise(recorder)]);
    expect(written.map(({ generation }) => generation)).toEqual([1, 2, 3]);
    expect(await store.read('job')).toMatchObject({ version: 2, record: { generation: 3, clusterId: 'c0ffee' } });
  });

  it('does not write what has not changed', async () => {
    const { store, recorder } = make(new MemoryJobs());
    await raise(recorder);
    await recorder.update((record) => record);
    expect(await store.read('job')).toMatchObject({ version: 0 });
  });

  it('reads again after a write whose outcome is not known', async () => {
    const jobs = new MemoryJobs();
    const { store, recorder } = make(jobs);
    await raise(recorder);
    jobs.loseAnswer(false);
    await expect(raise(recorder)).rejects.toThrow('no answer');
    expect((await raise(recorder)).generation).toBe(2);
    expect(await store.read('job')).toMatchObject({ version: 1 });
  });

  it('goes on after a change that throws', async () => {
    const { recorder } = make(new MemoryJobs());
    const failing = recorder.update(() => {
      throw new Error('no such change');
    });
    await expect(failing).rejects.toThrow('no such change');
    expect((await raise(recorder)).generation).toBe(1);
  });

  it('does not write once somebody else leads', async () => {
    const jobs = new MemoryJobs();
    const { recorder } = make(jobs);
    await raise(recorder);
    const other = make(jobs);
    await expect(raise(recorder)).rejects.toThrow('another leader');
    expect((await raise(other.recorder)).generation).toBe(2);
  });
});
