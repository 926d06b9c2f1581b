import { basename, dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { embeddedCheckpointDirectory, jobDirectory } from './job-directory.ts';

const nameOf = (jobName: string): string => basename(jobDirectory('/data', jobName));

describe('directories of jobs', () => {
  it('are called as the job where that is safe', () => {
    expect(jobDirectory('/data', 'spend-per_region.v2')).toBe('/data/spend-per_region.v2');
    expect(jobDirectory('/data', 'ClickSessions')).toBe('/data/ClickSessions');
    expect(embeddedCheckpointDirectory('/data', 'q1')).toBe('/data/q1/checkpoints');
  });

  it.each(['con', 'NUL', 'nul.txt', '.', '..', 'a.', '../x', 'a/b', '', 'x'.repeat(101), 'a~b', 'é'])(
    'have a hash in their name for %j',
    (jobName) => {
      expect(nameOf(jobName)).toMatch(/^[A-Za-z0-9_-]*~[0-9a-f]{16}$/);
    },
  );

  it('are inside the data directory, and fit any file system', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 150 }), (jobName) => {
        expect(dirname(jobDirectory('/data', jobName))).toBe('/data');
        expect(nameOf(jobName)).toMatch(/^[A-Za-z0-9_.~-]{1,100}$/);
      }),
    );
  });

  it('are different for different jobs', () => {
    const names = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[aAbB._~-]{0,4}$/));
    fc.assert(
      fc.property(names, names, (a, b) => {
        fc.pre(a !== b);
        expect(nameOf(a)).not.toBe(nameOf(b));
      }),
      { numRuns: 500 },
    );
  });
});
