import { describe, expect, it } from '@jest/globals';
import { isTerminalJob, isTerminalTask } from '../rpc/index.ts';
import type { JobState, TaskState } from '../rpc/index.ts';
import { jobTransitions } from './job-state.ts';
import { nextJobState } from './next-job-state.ts';
import { move } from './state-machine.ts';
import { cancelled, reported, taskTransitions } from './task-state.ts';

const taskStates = Object.keys(taskTransitions) as TaskState[];
const jobStates = Object.keys(jobTransitions) as JobState[];

describe('moves', () => {
  it('that the table lacks name both states', () => {
    expect(() => move(taskTransitions, 'task a', 'FINISHED', 'RUNNING')).toThrow(
      'task a cannot go from FINISHED to RUNNING',
    );
    expect(() => move(jobTransitions, 'job b', 'CREATED', 'FINISHED')).toThrow(
      'job b cannot go from CREATED to FINISHED',
    );
    expect(move(taskTransitions, 'task a', 'RUNNING', 'FINISHED')).toBe('FINISHED');
  });

  it('never leave a terminal state, and reach every state', () => {
    for (const state of taskStates) expect(taskTransitions[state].length === 0).toBe(isTerminalTask(state));
    for (const state of jobStates) expect(jobTransitions[state].length === 0).toBe(isTerminalJob(state));
    const reachable = new Set<JobState>(['INITIALIZING']);
    for (const state of reachable) for (const next of jobTransitions[state]) reachable.add(next);
    expect([...reachable].sort()).toEqual([...jobStates].sort());
  });
});

describe('what a report makes of a task', () => {
  it('is a legal move, or nothing, for every pair', () => {
    const fromManager: TaskState[] = ['INITIALIZING', 'RUNNING', 'FINISHED', 'CANCELED', 'FAILED'];
    const onManager: TaskState[] = ['DEPLOYING', 'INITIALIZING', 'RUNNING'];
    for (const current of taskStates) {
      for (const report of fromManager) {
        const next = reported(current, report);
        if (isTerminalTask(current)) expect(next).toBeNull();
        else if (current === 'CANCELING') expect(next).toBe(isTerminalTask(report) ? 'CANCELED' : null);
        else expect(next).toBe(report === current ? null : report);
      }
    }
    // In the order in which a TaskManager tells them, all are legal.
    for (const current of onManager) expect(taskTransitions[current]).toContain('FAILED');
    expect(reported('DEPLOYING', 'INITIALIZING')).toBe('INITIALIZING');
  });

  it('of a cancellation depends on whether it was deployed', () => {
    expect(taskStates.map((state) => [state, cancelled(state)])).toEqual([
      ['CREATED', 'CANCELED'],
      ['SCHEDULED', 'CANCELED'],
      ['DEPLOYING', 'CANCELING'],
      ['INITIALIZING', 'CANCELING'],
      ['RUNNING', 'CANCELING'],
      ['CANCELING', null],
      ['FINISHED', null],
      ['CANCELED', null],
      ['FAILED', null],
    ]);
    for (const state of taskStates) {
      const next = cancelled(state);
      if (next !== null) expect(taskTransitions[state]).toContain(next);
    }
  });
});

describe('what follows for the job', () => {
  it.each<[JobState, TaskState[], JobState | null]>([
    ['RUNNING', ['RUNNING', 'RUNNING'], null],
    ['RUNNING', ['FINISHED', 'RUNNING'], null],
    ['RUNNING', ['FINISHED', 'FINISHED'], 'FINISHED'],
    ['RUNNING', ['FINISHED', 'FAILED'], 'FAILING'],
    ['RUNNING', ['CANCELED', 'FINISHED'], null],
    ['FAILING', ['CANCELING', 'FAILED'], null],
    ['FAILING', ['CANCELED', 'FAILED'], 'FAILED'],
    ['FAILING', ['CANCELED', 'CANCELED'], 'FAILED'],
    ['CANCELLING', ['CANCELED', 'CANCELING'], null],
    ['CANCELLING', ['CANCELED', 'FINISHED'], 'CANCELED'],
    ['INITIALIZING', ['CREATED'], null],
    ['CREATED', ['CREATED'], null],
    ['FINISHED', ['FINISHED'], null],
    ['FAILED', ['FAILED'], null],
    ['CANCELED', ['CANCELED'], null],
    ['RESTARTING', ['CANCELED'], null],
  ])('from %s with %j is %s', (job, tasks, expected) => {
    expect(nextJobState(job, tasks, false)).toBe(expected);
    const isOver = expected === 'FAILED';
    expect(nextJobState(job, tasks, true)).toBe(isOver ? 'RESTARTING' : expected);
    if (isOver) expect(jobTransitions[job]).toContain('RESTARTING');
    if (expected !== null) expect(jobTransitions[job]).toContain(expected);
  });
});
