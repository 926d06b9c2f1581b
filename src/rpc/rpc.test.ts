import { describe, expect, it } from '@jest/globals';
import { attemptId, jobId, MillraceError, subtaskId, vertexId } from '../core/index.ts';
import { EpochFence, inProcessTransport, stepFailure } from './index.ts';
import type { JobMasterGateway, TaskStateChange } from './index.ts';

const change = (epoch: number): TaskStateChange => ({
  epoch,
  jobId: jobId('j'),
  attemptId: attemptId(subtaskId(vertexId('v'), 0), 0),
  state: 'RUNNING',
  error: null,
});

/** What these tests do not call. */
const others = {
  acknowledgeCheckpoint: () => Promise.resolve(),
  checkpointCommitted: () => Promise.resolve(),
    declineCheckpoint: () => Promise.resolve(),
  taskEnded: () => Promise.resolve(),
  reportProgress: () => Promise.resolve(),
};

describe('the in-process transport', () => {
  it('delivers copies, later and in order', async () => {
    const rpc = inProcessTransport();
    const seen: TaskStateChange[] = [];
    const gateway: JobMasterGateway = {
      taskStateChanged: (message) => {
        seen.push(message);
        return Promise.resolve();
      },
      ...others,
    };
    rpc.serve('job-master', 'here', gateway);
    const stub = rpc.connect('job-master', 'here');
    const message = { ...change(1) };
    const calls = [stub.taskStateChanged(message), stub.taskStateChanged(change(2))];
    expect(seen).toEqual([]);
    message.epoch = 99;
    await Promise.all(calls);
    expect(seen.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('rejects with the code of the receiver, and where nothing is served', async () => {
    const rpc = inProcessTransport();
    const fence = new EpochFence('the master');
    const { withdraw } = rpc.serve('job-master', 'here', {
       
      taskStateChanged: async ({ epoch }) => fence.check(epoch),
      ...others,
    });
    const stub = rpc.connect('job-master', 'here');
    await stub.taskStateChanged(change(3));
    await stub.taskStateChanged(change(3));
    await expect(stub.taskStateChanged(change(2))).rejects.toMatchObject({
      code: 'MR-RPC-STALE-EPOCH',
      message: 'the master refused a message of epoch 2: it has seen epoch 3',
    });
    withdraw();
    await expect(stub.taskStateChanged(change(3))).rejects.toMatchObject({ code: 'MR-RPC-UNREACHABLE' });
  });

  it('refuses what is not plain data', () => {
    const stub = inProcessTransport().connect('job-master', 'here');
    const message = { ...change(1), callback: () => undefined };
    expect(() => stub.taskStateChanged(message)).toThrow('could not be cloned');
  });
});

describe('the failure of a step', () => {
  const error = new MillraceError(
    'MR-X',
    { domain: 'user', scope: 'record', retry: 'never', message: 'overflow of {what}' },
    { what: 'a {b}' },
  );

  it('keeps the code and adds step and position', () => {
    const failure = stepFailure(error, 'totals', 'topic t, partition 3, offset 7');
    expect(failure).toMatchObject({
      code: 'MR-X',
      scope: 'record',
      message: 'step totals at topic t, partition 3, offset 7: overflow of a {b}',
      fields: { what: 'a {b}', step: 'totals', position: 'topic t, partition 3, offset 7' },
    });
  });

  it('is completed once', () => {
    const first = stepFailure(error, 'totals', null);
    expect(stepFailure(first, 'other', 'elsewhere').message).toBe('step totals: overflow of a {b}');
  });

  it('makes an internal error of what has no code, and keeps its stack', () => {
    const failure = stepFailure(new TypeError('x is undefined'), 'totals', null);
    expect(failure.code).toBe('MR-INTERNAL');
    expect(failure.stack).toContain('rpc.test');
  });
});
