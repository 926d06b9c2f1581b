import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { docker } from './docker.ts';
import { DEADLINE_MS, underLoad } from './full-cluster.ts';
import { imageOf } from './images.ts';

jest.setTimeout(DEADLINE_MS);

const REPOSITORY = 'millrace';
const NEXT_TAG = 'test-next';
const NEXT = `${REPOSITORY}:${NEXT_TAG}`;

describe('an upgrade under load', () => {
  beforeAll(async () => (await docker()).tagImage(imageOf('dispatcher'), REPOSITORY, NEXT_TAG));
  afterAll(async () => (await docker()).untagImage(NEXT));

  it('replaces Dispatchers and TaskManagers one after the other', () =>
    underLoad(async (trial) => {
      const { cluster } = trial;
      for (const role of ['dispatcher', 'taskmanager'] as const) {
        for (const member of cluster.all(role)) {
          await cluster.upgrade(member, NEXT);
          await cluster.registered(cluster.options.taskManagers);
          await trial.firstOutputAfter(Date.now());
        }
        const images = await Promise.all(cluster.all(role).map((member) => member.image()));
        expect(new Set(images)).toEqual(new Set([NEXT]));
      }
    }));
});
