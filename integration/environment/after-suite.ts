import { afterAll } from '@jest/globals';

import { endSuite } from './broker.ts';

const STOPPING_MS = 60_000;

/* Jest runs this in every suite of the integration project. Hooks of the suite's own groups come first. */
afterAll(endSuite, STOPPING_MS);
