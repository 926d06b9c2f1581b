import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, RowKind, rowSchema, types } from '../../core/index.ts';
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
import { nodePorts } from '../../core/node-ports.ts';
import { ManualClock, OperatorHarness, driveOperatorAllWays } from '../../testing/index.ts';
import type { InputEvent } from '../../testing/index.ts';
import { createOperator } from '../create-operator.ts';
import { ReferenceProcess } from '../fixtures/reference-process.ts';
import { describeProcessState } from './describe-process-state.ts';
import type { ProcessSpec } from './process-spec.ts';
import { thrownBy } from './thrown-by.ts';

const START = 1_700_000_000_000;
const input = rowSchema([
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
  { name: 'op', type: types.string },
  { name: 'n', type: types.int },
]);
const output = rowSchema([
  { name: 'what', type: types.string },
  { name: 'time', type: types.long },
]);
const KEYS = [1, 0];

const specOf = (changes: Partial<ProcessSpec> = {}): ProcessSpec => ({
  stepId: 'p',
  code: { module: 'file:///jobs/code.ts', name: 'Code', step: null },
  role: 'process',
  keys: KEYS,
  longs: 'number',
  sides: [{ name: 'aside', schema: output }],
  hasEventTime: true,
  input,
  output,
  ...changes,
});

const createOf = (code: unknown, changes?: Partial<ProcessSpec>) => () =>
  createOperator({ kind: 'process', ...specOf(changes) }, () => Promise.resolve(code));

const row = (op: string, n = 0, id: bigint | null = 1n, name: string | null = 'a'): Value[] => [id, name, op, n];

type Remembered = { readonly at: number | null; count: number };

/** Does what its rows say, and tells all that it remembers. */
class Script implements ProcessFunction {
  #value!: ValueState<Remembered>;
  #list!: ListState<number | string>;
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
    switch (op) {
      case 'count': {
        // The object is the state's own, and changed in place.
        const kept = this.#value.get() ?? { at: context.timestamp, count: 0 };
        kept.count++;
        this.#value.set(kept);
        break;
      }
      case 'clear':
        this.#value.clear();
        this.#list.clear();
        break;
      case 'list':
        this.#list.add(number % 2 === 0 ? number : `${number}`);
        break;
      case 'map':
        this.#map.set(`k${number % 3}`, number);
        break;
      case 'unmap':
        this.#map.delete(`k${number % 3}`);
        break;
      case 'brief':
        this.#brief.set(number);
        break;
      case 'timer': {
        // What the context does may be taken out of it.
        const { setEventTimer } = context;
        setEventTimer((context.timestamp ?? 0) + number);
        break;
      }
      case 'untimer':
        context.deleteEventTimer((context.timestamp ?? 0) + number);
        break;
      case 'clock':
        context.setTimer(START + number);
        break;
      case 'unclock':
        context.deleteTimer(START + number);
        break;
      case 'many':
        for (let i = 0; i < number; i++) context.emitTo(i % 3 === 0 ? 'aside' : 'main', {});
        return;
      case 'throw':
        this.#list.add('thrown');
        context.emit({ what: 'never seen' });
        throw new Error('as the row said');
    }
    this.#tell('row', context);
  }

  onTimer({ timestamp, isEventTime }: FiredTimer, context: ProcessContext): void {
    const kept = this.#value.get();
    if (isEventTime && kept !== undefined && kept.count < 4) {
      this.#value.set({ ...kept, count: kept.count + 1 });
      context.setEventTimer(timestamp + 7);
    }
    this.#tell(isEventTime ? 'timer' : 'clock', context, timestamp);
  }

  #tell(sort: string, context: ProcessContext, timer: number | null = null): void {
    const state = [this.#value.get(), [...this.#list], [...this.#map].sort(), this.#list.length, this.#map.size];
    const known = [...state, this.#brief.get(), context.key, timer, context.watermark, this.#map.has('k1')];
    const row = { what: `${sort} ${JSON.stringify(known)}`, time: context.timestamp };
    context.emit(row);
    if (this.#list.length % 2 === 1) context.emitTo('aside', { ...row, what: sort });
  }
}

const opArbitrary = fc.constantFrom(
  ...['count', 'count', 'clear', 'list', 'map', 'unmap', 'brief', 'throw'],
  ...['timer', 'timer', 'untimer', 'clock', 'unclock'],
);
const eventArbitrary = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      values: fc
        .tuple(fc.constantFrom(1n, 7n, null), fc.constantFrom('a', 'b'), opArbitrary, fc.integer({ min: -3, max: 30 }))
        .map((values): readonly Value[] => values),
      behind: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: -5, max: 25 }) },
        { weight: 1, arbitrary: fc.constant(NaN) },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 15 }) }) },
  { weight: 1, arbitrary: fc.record({ ticks: fc.integer({ min: 0, max: 9 }) }) },
);
const eventsArbitrary = fc.array(eventArbitrary, { maxLength: 60 }).map((steps) => {
  let [time, now] = [100, START];
  return steps.map((step): InputEvent => {
    if ('advance' in step) return { watermarkMs: (time += step.advance) };
    if ('ticks' in step) return { nowMs: (now += step.ticks) };
    return { values: step.values, timestamp: time + 12 - step.behind };
  });
});

const ports = { ...nodePorts, clock: new ManualClock(START) };
const textOf = (rows: readonly { readonly values: readonly Value[]; readonly timestamp: number | null }[]): string[] =>
  rows.map(({ values, timestamp }) => JSON.stringify([values[0], String(values[1]), String(timestamp)])).sort();

describe('ProcessOperator', () => {
  it('does what a step by the book does, however it is driven, restored and rescaled', async () => {
    await fc.assert(
      fc.asyncProperty(eventsArbitrary, async (events) => {
        const reference = new ReferenceProcess(new Script(), START, { brief: 20 });
        reference.run(events, ({ values }) => {
          const [id, name, op, n] = values as readonly Value[];
          const key = { name, id: id === null ? null : Number(id) };
          return [key, { ...key, op, n }];
        });
        const test = { create: createOf(Script), input, rows: events, stepId: 'p', keys: [KEYS], ports };
        const result = await driveOperatorAllWays({ ...test, compare: 'rows' });
        const expected = reference.emitted
          .filter(({ side }) => side === null)
          .map(({ row: { what, time }, timestamp }) => ({ values: [what as Value, time as Value], timestamp }));
        expect(textOf(result.rows)).toEqual(textOf(expected));
        expect(result.failures).toHaveLength(reference.failures);
      }),
      { numRuns: 60 },
    );
  });

  const opened = (code: unknown, changes?: Partial<ProcessSpec>, options: { pauses?: number; sides?: string[] } = {}) =>
    OperatorHarness.open({ create: createOf(code, changes), input, stepId: 'p', ...options });

  it('emits as much as a call likes, to the output and to sides, while receivers are slow', async () => {
    const code = ({ n }: UserRow, context: ProcessContext): void => {
      for (let i = 0; i < (n as number); i++) {
        if (i % 3 === 0) context.emitTo('aside', { what: `${i}` });
        else context.emit({ what: `${i}`, time: i });
      }
    };
    const harness = await opened(code, {}, { pauses: 2, sides: ['aside'] });
    await harness.process([
      { values: row('many', 5000), timestamp: 3 },
      { values: row('many', 4), timestamp: 4 },
    ]);
    harness.flush();
    const numbers = [...Array(5000).keys(), 0, 1, 2, 3];
    expect(harness.rows.map(({ values }) => Number(values[0]))).toEqual(numbers.filter((i) => i % 3 !== 0));
    const aside = harness.sideRows('aside').map(({ values }) => Number(values[0]));
    expect(aside).toEqual(numbers.filter((i) => i % 3 === 0));
    expect(harness.rows.at(-1)).toEqual({ values: ['2', 2n], timestamp: 4, rowKind: 0, origin: 'row 1' });
    await harness.close();
  });

  it('fires a great many timers at one watermark in pieces, in the order of their times', async () => {
    const fired: number[] = [];
    class Timers implements ProcessFunction {
      process({ n }: UserRow, context: ProcessContext): void {
        for (let i = 0; i < (n as number); i++) context.setEventTimer((i * 7919) % 1000);
      }
      onTimer({ timestamp }: FiredTimer, context: ProcessContext): void {
        fired.push(timestamp);
        if (fired.length % 1000 === 0) context.emit({ what: 'a thousand' });
      }
    }
    const harness = await opened(Timers, {}, { pauses: 1 });
    const rows = Array.from({ length: 100 }, (_, id) => ({ values: row('', 1000, BigInt(id)), timestamp: 0 }));
    await harness.process(rows);
    const snapshot = harness.snapshot();
    harness.watermark(999);
    expect(fired).toEqual([...fired].sort((a, b) => a - b));
    expect(fired).toHaveLength(100_000);
    expect(harness.rows).toHaveLength(100);
    expect(harness.snapshot().chunks).toEqual([]);
    await harness.close();
    const restored = await OperatorHarness.open({ create: createOf(Timers), input, restore: [snapshot] });
    restored.watermark(998);
    expect(fired).toHaveLength(199_900);
    await restored.close();
  });

  it('ends where timers set each other for ever', async () => {
    class Clock implements ProcessFunction {
      process(_row: UserRow, context: ProcessContext): void {
        context.setEventTimer(10);
      }
      onTimer({ timestamp }: FiredTimer, context: ProcessContext): void {
        context.setEventTimer(timestamp + 10);
        context.emit({ what: 'tick', time: timestamp });
      }
    }
    const harness = await opened(Clock);
    await harness.process([{ values: row(''), timestamp: 0 }]);
    harness.finish();
    expect(harness.rows).toHaveLength(1000);
    await harness.close();
  });

  it('frees the memory of keys that hold nothing any more, and of what is to be forgotten', async () => {
    class Brief implements ProcessFunction {
      #seen!: ValueState<string>;
      open(setup: ProcessSetup): void {
        this.#seen = setup.valueState('seen', { ttl: '5ms' });
      }
      process({ name }: UserRow): void {
        this.#seen.set(name as string);
      }
    }
    for (const hasEventTime of [true, false]) {
      const harness = await opened(Brief, { hasEventTime });
      let stateBytes = 0;
      for (let round = 0; round < 10; round++) {
        const names = Array.from({ length: 500 }, (_, i) => row('', 0, BigInt(i), `name ${round}`));
        await harness.process(names.map((values) => (hasEventTime ? { values, timestamp: round * 100 } : { values })));
        expect(harness.snapshot().chunks.length).toBeGreaterThan(0);
        if (hasEventTime) harness.watermark(round * 100 + 5);
        else harness.advanceTo(harness.nowMs + 5);
        expect(harness.snapshot().chunks).toEqual([]);
        if (round === 0) ({ stateBytes } = harness);
        expect(harness.stateBytes).toBeLessThanOrEqual(stateBytes * 2);
      }
      await harness.close();
    }
  });

  describe('reads and writes', () => {
    const at = Date.UTC(2026, 10, 23, 12, 30);
    const nested = types.row([
      { name: '__proto__', type: types.int },
      { name: 'b', type: types.decimal(5, 1) },
    ]);
    const all = rowSchema([
      { name: 'flag', type: types.boolean },
      { name: 'int', type: types.int },
      { name: 'long', type: types.long },
      { name: 'float', type: types.float },
      { name: 'double', type: types.double },
      { name: 'decimal', type: types.decimal(10, 2) },
      { name: 'date', type: types.date },
      { name: 'time', type: types.time },
      { name: 'timestamp', type: types.timestamp },
      { name: 'string', type: types.string },
      { name: 'bytes', type: types.bytes },
      { name: 'json', type: types.json },
      { name: 'list', type: types.array(types.long) },
      { name: 'map', type: types.map(types.string, types.date) },
      { name: 'nested', type: nested },
      { name: '__proto__', type: types.string },
      { name: 'toString', type: types.int },
      { name: '0', type: types.int },
    ]);
    const values: readonly Value[] = [
      ...[true, -5, 9007199254740991n, 1.5, -0.1, 1250n, 20780, 45_000_000, at, 'Größe 😀', new Uint8Array([1, 2])],
      ...['{"a":[1,null]}', [1n, null], new Map([['x', 1]]), [7, 15n], 'p', 3, 4],
    ];
    const nulls = all.fields.map(() => null);
    const spec = { input: all, output: all, keys: [], sides: [] };
    const drive = async (code: unknown, rows: readonly (readonly Value[])[], changes: Partial<ProcessSpec> = {}) => {
      const harness = await OperatorHarness.open({ create: createOf(code, { ...spec, ...changes }), input: all });
      await harness.process(rows.map((each) => ({ values: each })));
      harness.flush();
      await harness.close();
      const failures = harness.failures.map((failure) => failure.code);
      return { rows: harness.rows.map((each) => each.values), failures };
    };

    it.each(['map', 'process'] as const)('every type, as %s', async (role) => {
      const seen: UserRow[] = [];
      const code = (given: UserRow, context?: ProcessContext): UserRow => {
        seen.push(given);
        context?.emit(given);
        return given;
      };
      const wide = values.with(2, 2n ** 60n);
      const result = await drive(code, [values, nulls, values], { role });
      expect(result).toEqual({ rows: [values, nulls, values], failures: [] });
      const [first] = seen;
      // JavaScript puts names that are numbers first.
      expect(Object.keys(first ?? {})).toEqual(['0', ...all.fields.slice(0, -1).map(({ name }) => name)]);
      expect(first).toMatchObject({
        decimal: '12.50',
        date: '2026-11-23',
        time: '12:30:00.000',
        timestamp: at,
        json: { a: [1, null] },
        map: new Map([['x', '1970-01-02']]),
        list: [1, null],
      });
      expect(Object.getPrototypeOf(first)).toBe(Object.prototype);
      // A number does not hold it.
      expect((await drive(code, [wide, values], { role })).failures).toEqual(['MR-CODE-READ']);
      const asBigints = await drive(code, [wide, values], { role, longs: 'bigint' });
      expect(asBigints).toEqual({ rows: [wide, values], failures: [] });
      expect(seen.at(-1)).toMatchObject({ long: 9007199254740991n, list: [1n, null] });
    });

    it('what stands for a type, too, and nothing else', async () => {
      const given: readonly (readonly [object, string | null])[] = [
        [{ long: 5n, timestamp: new Date(at), decimal: 12.5, int: 5n }, null],
        [{ long: -(2n ** 63n), decimal: 3n }, null],
        [{ int: undefined, string: undefined }, null],
        [{}, null],
        [{ lnog: 1 }, 'lnog'],
        [{ int: 2 ** 31 }, 'int'],
        [{ int: 1.5 }, 'int'],
        [{ long: 2n ** 63n }, 'long'],
        [{ long: 2 ** 53 }, 'long'],
        [{ decimal: '123456789.00' }, 'decimal'],
        [{ date: '2026-02-30' }, 'date'],
        [{ string: 5 }, 'string'],
        [{ timestamp: NaN }, 'timestamp'],
        [{ json: () => 1 }, 'json'],
        [{ list: ['x'] }, 'list'],
        [{ nested: { c: 1 } }, 'nested'],
        [[1], '0'],
      ];
      for (const [each, field] of given.slice(0, -1)) {
        const result = await drive(() => each, [nulls], { role: 'map' });
        expect([each, result.failures]).toEqual([each, field === null ? [] : ['MR-CODE-ROW']]);
      }
      for (const each of [null, 5, 'text', Promise.resolve({ int: 1 })]) {
        expect((await drive(() => each, [nulls], { role: 'map' })).failures).toEqual(['MR-CODE-ROW']);
      }
      const [written] = (await drive(() => given[0]?.[0], [nulls], { role: 'map' })).rows;
      expect(written?.slice(1, 9)).toEqual([5, 5n, null, null, 1250n, null, null, at]);
    });

    it('rows that a function lets through, and many of one', async () => {
      const keep = (given: UserRow): boolean => given['int'] !== null;
      expect((await drive(keep, [values, nulls, values], { role: 'filter' })).rows).toEqual([values, values]);
      const twice = function* (given: UserRow): Iterable<UserRow> {
        yield given;
        yield given;
      };
      expect((await drive(twice, [values], { role: 'flat-map' })).rows).toEqual([values, values]);
    });
  });

  it('says where user code threw, and drops what the call had emitted', async () => {
    const code = (_row: UserRow, context: ProcessContext): void => {
      for (let i = 0; i < 3000; i++) context.emit({ what: 'half' });
      throw new TypeError('no such fruit');
    };
    const harness = await opened(code);
    await harness.process([{ values: row('x'), timestamp: 1 }]);
    harness.flush();
    expect(harness.rows).toEqual([]);
    expect(harness.failures).toEqual([{ stepId: 'p', code: 'MR-CODE-THREW', origin: 'row 0' }]);
    await harness.close();
    const given = new TypeError('no such fruit');
    const frames = ['at pick (node:x:1:1)', 'at Code.process (file:///jobs/code.ts:12:5)', 'at y'];
    given.stack = ['TypeError: no such fruit', ...frames].join('\n    ');
    const { message, cause } = thrownBy(given, 'process()', specOf());
    expect(message).toBe('step p: process() threw: no such fruit (at file:///jobs/code.ts:12:5)');
    expect(cause).toBe(given);
  });

  it('keeps states by their names when the code changes, and refuses one of another kind', async () => {
    const codeOf = (declare: (setup: ProcessSetup) => Record<string, ValueState<number> | ListState<number>>) =>
      class implements ProcessFunction {
        #states: Record<string, ValueState<number> | ListState<number>> = {};
        open(setup: ProcessSetup): void {
          this.#states = declare(setup);
        }
        process({ op, n }: UserRow, context: ProcessContext): void {
          for (const [name, state] of Object.entries(this.#states)) {
            if (op === 'add' && 'add' in state) state.add(n as number);
            else if (op === 'add' && 'get' in state) state.set(n as number);
            else context.emit({ what: `${name} ${JSON.stringify('get' in state ? state.get() : [...state])}` });
          }
        }
      };
    const first = codeOf((setup) => ({ a: setup.valueState('a'), b: setup.listState('b') }));
    const harness = await opened(first);
    await harness.process([{ values: row('add', 5) }, { values: row('add', 6) }]);
    const snapshot = harness.snapshot();
    await harness.close();
    const second = codeOf((setup) => ({ c: setup.valueState('c'), b: setup.listState('b') }));
    const restored = await OperatorHarness.open({ create: createOf(second), input, restore: [snapshot] });
    await restored.process([{ values: row('tell') }]);
    restored.flush();
    expect(restored.rows.map(({ values }) => values[0])).toEqual(['c undefined', 'b [5,6]']);
    await restored.close();
    const third = codeOf((setup) => ({ a: setup.listState('a') }));
    const refused = OperatorHarness.open({ create: createOf(third), input, restore: [snapshot] });
    await expect(refused).rejects.toMatchObject({
      code: 'MR-STATE-INCOMPATIBLE',
      message: expect.stringContaining('a was kept as "value", and is as "list"') as unknown,
    });
    const none = await OperatorHarness.open({ create: createOf(codeOf(() => ({}))), input, restore: [snapshot] });
    expect(none.snapshot().chunks).toEqual([]);
    await none.close();
  });

  class Stateful implements ProcessFunction {
    open(setup: ProcessSetup): void {
      setup.valueState('x');
    }
    process(): void {
      // Only its open() matters.
    }
  }
  it('says what it keeps without running', async () => {
    const describeCode = (code: unknown, changes: Partial<ProcessSpec> = {}) =>
      describeProcessState(specOf(changes), () => Promise.resolve(code));
    expect(await describeCode(Script)).toEqual({
      kind: 'process',
      version: 1,
      key: { fields: [input.fields[1], input.fields[0]] },
      values: { fields: ['value', 'list', 'map', 'brief'].map((name) => ({ name, type: types.bytes })) },
      settings: { layouts: { value: 'value', list: 'list', map: 'map', brief: 'value' } },
    });
    expect(await describeCode(() => undefined)).toBe(null);
    expect(await describeCode(Script, { keys: [] })).toBe(null);
    await expect(describeCode(class { readonly other = 1; })).rejects.toMatchObject({ code: 'MR-CODE-SHAPE' });
  });

  const setting = (set: (context: ProcessContext) => void) => (_row: UserRow, context: ProcessContext) => {
    set(context);
  };
  const classOf = (members: Record<string, unknown>): unknown => {
    const made = class {
      process(): void {
        // Some of it is replaced.
      }
    };
    Object.assign(made.prototype, members);
    return made;
  };

  it.each<[string, unknown, Partial<ProcessSpec>]>([
    ['MR-CODE-SHAPE', 5, {}],
    ['MR-CODE-SHAPE', { process: () => undefined }, {}],
    ['MR-CODE-SHAPE', class { readonly other = 1; }, {}],
    ['MR-CODE-SHAPE', async () => Promise.resolve(), {}],
    ['MR-CODE-SHAPE', classOf({ process: async () => Promise.resolve() }), {}],
    ['MR-CODE-SHAPE', classOf({ onTimer: 5 }), {}],
    ['MR-CODE-SHAPE', Stateful, { role: 'map' }],
    ['MR-CODE-NO-KEY', Stateful, { keys: [] }],
    ['MR-CODE-OPEN', classOf({ open: (setup: ProcessSetup) => [setup.valueState('x'), setup.listState('x')] }), {}],
    ['MR-CODE-OPEN', classOf({ open: (setup: ProcessSetup) => setup.valueState('x', { ttl: 'soon' }) }), {}],
    ['MR-CODE-OPEN', classOf({ open: (setup: ProcessSetup) => setup.counter('numRecordsIn') }), {}],
    ['MR-CODE-OPEN', classOf({ open: () => Promise.reject(new Error('no')) }), {}],
  ])('is refused before a row has come: %s, %#', async (code, given, changes) => {
    await expect(opened(given, changes)).rejects.toMatchObject({ code, domain: 'user' });
  });

  it.each<[string, unknown, Partial<ProcessSpec>]>([
    ['MR-CODE-NO-KEY', setting((context) => context.setTimer(1)), {}],
    ['MR-CODE-NO-KEY', setting((context) => context.setEventTimer(1)), { keys: [] }],
    ['MR-CODE-NO-KEY', timedClass((context) => context.setEventTimer(1)), { hasEventTime: false }],
    ['MR-CODE-SIDE', setting((context) => context.emitTo('elsewhere', {})), {}],
    ['MR-CODE-STATE-VALUE', unkeptClass(), {}],
    ['MR-CODE-SHAPE', () => Promise.reject(new Error('nobody hears it')), {}],
  ])('ends the job: %s, %#', async (code, given, changes) => {
    const harness = await opened(given, changes);
    await expect(harness.process([{ values: row('x') }])).rejects.toMatchObject({ code, scope: 'job' });
    await harness.close();
  });

  it('lets others have a turn in the middle of a batch that takes long', async () => {
    const seen: unknown[] = [];
    let nowMs = 0;
    const code = ({ n }: UserRow): void => {
      seen.push(n);
      nowMs++;
    };
    const operator = createOf(code)();
    const clock = Object.assign(Object.create(nodePorts.clock) as typeof nodePorts.clock, { monotonicMs: () => nowMs });
    await operator.open({
      jobName: 'j',
      stepId: 'p',
      subtaskIndex: 0,
      parallelism: 1,
      maxParallelism: 128,
      ports: { ...nodePorts, clock },
      output: { ready: true, emit: () => undefined },
      errors: {
        handle: (_batch, _row, _step, error) => {
          throw error;
        },
      },
      restoredWatermarkMs: -Infinity,
      setAlarm: () => undefined,
      counter: () => ({ value: 0 }),
    });
    const batch = batchOf(input, Array.from({ length: 200 }, (_, n) => row('', n)));
    const stops: number[] = [];
    for (let at = 0; at < 200; stops.push(at)) at = operator.process(batch, at, 0);
    expect(stops).toEqual([63, 126, 189, 200]);
    expect(seen).toEqual(Array.from({ length: 200 }, (_, n) => n));
    await operator.close();
  });

  it('takes no rows that take others back', async () => {
    const harness = await opened(() => undefined);
    const refused = harness.process([{ values: row('x'), rowKind: RowKind.delete }]);
    await expect(refused).rejects.toMatchObject({ code: 'MR-OPERATOR-CHANGELOG' });
    await harness.close();
  });
});

/** A class with timers. */
function timedClass(set: (context: ProcessContext) => void): unknown {
  return class implements ProcessFunction {
    process(_row: UserRow, context: ProcessContext): void {
      set(context);
    }
    onTimer(): void {
      // Never called.
    }
  };
}

/** A class that wants to keep what cannot be kept. */
function unkeptClass(): unknown {
  return class implements ProcessFunction {
    #state!: ValueState<() => void>;
    open(setup: ProcessSetup): void {
      this.#state = setup.valueState('code');
    }
    process(): void {
      this.#state.set(() => undefined);
    }
  };
}
