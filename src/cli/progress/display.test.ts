import { describe, expect, it } from '@jest/globals';

import { liveDisplay, plainDisplay } from './display.ts';
import type { JobProgress } from './job-progress.ts';

const progress: JobProgress = {
  jobName: 'a-job-with-a-long-name',
  state: 'RUNNING',
  isEnded: false,
  elapsedMs: 1000,
  steps: [{ stepId: 'in', what: 'source datagen' }],
  metrics: { atMs: 0, steps: [] },
  lastCheckpoint: null,
};

describe('displays', () => {
  it('draws over what it drew, within the window', () => {
    const written: string[] = [];
    const terminal = { isTerminal: true, columns: () => 20, rows: () => 3 };
    const display = liveDisplay(terminal, (text) => written.push(text));
    display.update({ ...progress, steps: [...progress.steps, ...progress.steps] });
    display.update(progress);
    display.log('not shown');
    display.note('stopping');
    display.finish(progress);
    const lines = written[0]?.split('\n') ?? [];
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe('a-job-with-a-long-n');
    expect(lines[1]).toMatch(/^step.{15}$/);
    expect(written[1]?.startsWith('\u001b[2A\u001b[0J')).toBe(true);
    expect(written[2]).toBe('stopping\n');
    expect(written[3]?.startsWith('a-job')).toBe(true);
  });

  it('writes one line at a time elsewhere', () => {
    const written: string[] = [];
    const display = plainDisplay((text) => written.push(text));
    display.start(progress);
    display.update(progress);
    display.log('checkpoint 1 completed');
    display.finish({ ...progress, state: 'FINISHED' });
    expect(written).toEqual([
      'running a-job-with-a-long-name: in (source datagen)\n',
      '1.0 s  RUNNING\n',
      'checkpoint 1 completed\n',
      '1.0 s  FINISHED\n',
    ]);
  });
});
