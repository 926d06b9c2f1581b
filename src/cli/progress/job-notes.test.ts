import { describe, expect, it } from '@jest/globals';

import { defineErrors } from '../../core/index.ts';
import { plainDisplay } from './display.ts';
import { JobNotes, type NotedJob } from './job-notes.ts';

const NOW_MS = 100_000;
const errors = defineErrors({
  'MR-TEST-GONE': { domain: 'external', scope: 'job', retry: 'backoff', message: 'the broker is gone', help: '' },
});

function checkpoint(checkpointId: number, state: 'pending' | 'completed' | 'aborted', failure: string | null = null) {
  const sizes = { stateBytes: 4200, inFlightBytes: 0 };
  const counts = { subtasks: 2, acknowledged: 2, ...sizes, alignmentMs: 1, syncMs: 1, asyncMs: 1 };
  return { checkpointId, state, triggeredAtMs: 1, endedAtMs: 2, durationMs: 300, failure, ...counts };
}

function setUp(anew: string | null = 'starting anew') {
  const lines: string[] = [];
  let job: NotedJob = {
    origin: null,
    restarts: 0,
    lastFailure: null,
    restartDelayMs: null,
    checkpoints: () => ({ completedCount: 0, abortedCount: 0, recent: [] }),
  };
  const changing: NotedJob = {
    get origin() {
      return job.origin;
    },
    get restarts() {
      return job.restarts;
    },
    get lastFailure() {
      return job.lastFailure;
    },
    get restartDelayMs(): number | null {
      return job.restartDelayMs;
    },
    checkpoints: () => job.checkpoints(),
  };
  const settings = { nowMs: () => NOW_MS, anew, describeError: (error: Error) => `error: ${error.message}` };
  const notes = new JobNotes(plainDisplay((text) => lines.push(text.trimEnd())), changing, settings);
  return {
    lines,
    becomes(change: Partial<NotedJob>) {
      job = { ...job, ...change };
      notes.update();
      notes.update();
    },
  };
}

describe('notes about a job', () => {
  it('say once per start what it starts from', () => {
    const { lines, becomes } = setUp();
    becomes({});
    expect(lines).toEqual([]);
    const restored = { kind: 'restored', checkpointId: 17, completedAtMs: NOW_MS - 2100, isSavepoint: false } as const;
    becomes({ origin: { ...restored, droppedSteps: [] } });
    expect(lines).toEqual(['resuming checkpoint 17, completed 2.1 s ago']);
    const warnings = ['a file is gone'];
    becomes({ origin: { ...restored, checkpointId: 18, droppedSteps: [], warnings } });
    expect(lines.slice(1)).toEqual(['warning: a file is gone', 'resuming checkpoint 18, completed 2.1 s ago']);
  });

  it('say that it starts anew, where checkpoints are a matter at all', () => {
    const one = setUp();
    one.becomes({ origin: { kind: 'anew' } });
    expect(one.lines).toEqual(['starting anew']);
    const other = setUp(null);
    other.becomes({ origin: { kind: 'anew' } });
    expect(other.lines).toEqual([]);
  });

  it('name steps whose state is gone', () => {
    const { lines, becomes } = setUp();
    const restored = { kind: 'restored', checkpointId: 3, completedAtMs: NOW_MS, isSavepoint: true } as const;
    becomes({ origin: { ...restored, droppedSteps: ['totals', 'joined'] } });
    expect(lines).toEqual(['resuming savepoint 3, completed 0.0 s ago', 'dropped the state of totals, joined']);
  });

  it('tell each checkpoint once, in their order, when it has ended', () => {
    const { lines, becomes } = setUp();
    becomes({ checkpoints: () => ({ completedCount: 0, abortedCount: 0, recent: [checkpoint(4, 'pending')] }) });
    expect(lines).toEqual([]);
    const recent = [checkpoint(6, 'pending'), checkpoint(5, 'aborted', 'disk full'), checkpoint(4, 'completed')];
    becomes({ checkpoints: () => ({ completedCount: 1, abortedCount: 1, recent }) });
    expect(lines).toEqual(['checkpoint 4 completed: 0.3 s, 4.20 kB', 'checkpoint 5 aborted: disk full']);
  });

  it('tell why it restarts', () => {
    const { lines, becomes } = setUp();
    becomes({ lastFailure: errors.create('MR-TEST-GONE', {}), restartDelayMs: 1500 });
    expect(lines).toEqual([]);
    becomes({ restarts: 1 });
    expect(lines).toEqual(['error: the broker is gone', 'restart 1: the next attempt comes in 1.5 s']);
  });
});
