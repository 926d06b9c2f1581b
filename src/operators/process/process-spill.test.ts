import { describe, it } from '@jest/globals';
import fc from 'fast-check';

import { rowSchema, types } from '../../core/index.ts';
import type {
  FiredTimer,
  ListState,
  MapState,
  ProcessContext,
  ProcessFunction,
  ProcessSetup,
  UserRow,
  Value,
  ValueState,
} from '../../core/index.ts';
import { checkHistory, historyArbitrary } from '../../testing/index.ts';
import { createOperator } from '../create-operator.ts';

const SLOW_MS = 180_000;

const input = rowSchema([
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
  { name: 'op', type: types.string },
  { name: 'n', type: types.int },
]);
const output = rowSchema([{ name: 'what', type: types.string }]);

/** Does what its rows say, and tells all that it remembers. */
class Script implements ProcessFunction {
  #value!: ValueState<{ count: number }>;
  #list!: ListState<number>;
  #map!: MapState<string, number>;
  #brief!: ValueState<number>;

  open(setup: ProcessSetup): void {
    this.#value = setup.valueState('value');
    this.#list = setup.listState('list');
    this.#map = setup.mapState('map');
    this.#brief = setup.valueState('brief', { ttl: '20ms' });
  }

  process({ op, n }: UserRow, context: ProcessContext): void {
    const number = n as number;
    if (op === 'count') this.#count();
    else if (op === 'clear') this.#value.clear();
    else if (op === 'clear all') for (const state of [this.#value, this.#list, this.#map, this.#brief]) state.clear();
    else if (op === 'list') this.#list.add(number);
    else if (op === 'map') this.#map.set(`k${number % 3}`, number);
    else if (op === 'unmap') this.#map.delete(`k${number % 3}`);
    else if (op === 'brief') this.#brief.set(number);
    else if (op === 'timer') context.setEventTimer((context.timestamp ?? 0) + number);
    else if (op === 'untimer') context.deleteEventTimer((context.timestamp ?? 0) + number);
    this.#tell('row', context);
  }

  onTimer({ timestamp }: FiredTimer, context: ProcessContext): void {
    this.#count();
    this.#tell(`timer ${timestamp}`, context);
  }

  /** In place, where there is one already. */
  #count(): void {
    const kept = this.#value.get();
    if (kept === undefined) this.#value.set({ count: 1 });
    else kept.count++;
  }

  #tell(sort: string, context: ProcessContext): void {
    const known = [this.#value.get(), [...this.#list], [...this.#map].sort(), this.#brief.get(), context.key];
    context.emit({ what: `${sort} ${JSON.stringify(known)}` });
  }
}

const OPS = ['count', 'count', 'clear', 'clear all', 'list', 'map', 'unmap', 'brief', 'look'];

const row = (hasTimers: boolean) =>
  fc
    .record({
      id: fc.constantFrom(1n, 2n, 2n ** 60n, null),
      name: fc.constantFrom('a', 'b', null),
      op: fc.constantFrom(...OPS, ...(hasTimers ? ['timer', 'untimer'] : [])),
      n: fc.nat(30),
      timestamp: fc.nat(300),
    })
    .map(({ id, name, op, n, timestamp }) => ({ values: [id, name, op, n] as Value[], timestamp }));

describe('what user code remembers, where it does not fit memory', () => {
  it.each([false, true])('is what it is in memory, whatever happens; with timers: %s', async (hasTimers) => {
    const spec = {
      kind: 'process',
      stepId: 'p',
      code: { module: 'file:///jobs/code.ts', name: 'Code', step: null },
      role: 'process',
      keys: [1, 0],
      longs: 'number',
      sides: [],
      hasEventTime: true,
      input,
      output,
    } as const;
    const create = () => createOperator(spec, () => Promise.resolve(Script));
    await fc.assert(
      fc.asyncProperty(historyArbitrary(row(hasTimers)), (steps) =>
        checkHistory({ create, input, keys: [1, 0] }, steps),
      ),
      { numRuns: 60 },
    );
  }, SLOW_MS);
});
