import { describe } from '@jest/globals';

import { memorySpill } from './memory-spill.ts';
import { itIsASpillStore } from './spill-store-contract.ts';

describe('memorySpill', () => {
  itIsASpillStore(() => memorySpill(1));
});
