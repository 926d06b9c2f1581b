import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defineErrors, rowSchema, types } from '../../core/index.ts';
import type { LookupReader, LookupRow, RowSchema, Value } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { codeOf, driveOperatorAllWays, OperatorHarness } from '../../testing/index.ts';
import { LookupOperator } from './lookup-operator.ts';
import type { LookupStep } from './lookup-spec.ts';

const input = rowSchema([
  { name: 'n', type: types.int },
  { name: 'name', type: types.string },
  { name: 'id', type: types.long },
]);
const keys = rowSchema([
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
]);
const schema = rowSchema([
  { name: 'tier', type: types.string },
  { name: 'price', type: types.decimal(10, 2) },
]);
const output: RowSchema = rowSchema([...input.fields.slice(0, 1), ...schema.fields]);

const errors = defineErrors({
  'MR-TEST-BUSY': { domain: 'external', scope: 'record', retry: 'backoff', message: 'busy', help: '' },
  'MR-TEST-BAD': { domain: 'external', scope: 'record', retry: 'never', message: 'bad', help: '' },
  'MR-TEST-GONE': { domain: 'external', scope: 'job', retry: 'never', message: 'gone', help: '' },
});

function stepWith(settings: Partial<LookupStep> = {}): LookupStep {
  return {
    stepId: 'l',
    spec: { stepId: 'l', connector: 'test', options: {}, format: null, keys, schema },
    code: null,
    keys: [2, 1],
    kept: [0],
    found: [0, 1],
    type: 'left',
    isOrdered: true,
    capacity: 4,
    timeoutMs: 60_000,
    retry: { attempts: 3, initialMs: 10, maxMs: 1000 },
    cache: null,
    input,
    output,
    ...settings,
  };
}

interface Pending {
  readonly resolve: (rows: readonly (readonly LookupRow[])[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Answers when it is told to. */
class ScriptedReader implements LookupReader {
  readonly batchSize: number;
  readonly asked: LookupRow[][] = [];
  readonly signals: AbortSignal[] = [];
  readonly #pending: Pending[] = [];
  isOpen = false;

  constructor(batchSize = 1) {
    this.batchSize = batchSize;
  }

  open(): Promise<void> {
    this.isOpen = true;
    return Promise.resolve();
  }

  lookup(asked: readonly LookupRow[], signal: AbortSignal): Promise<readonly (readonly LookupRow[])[]> {
    this.asked.push([...asked]);
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
    });
  }

  answer(request: number, ...rows: readonly (readonly LookupRow[])[]): void {
    this.#pending[request]?.resolve(rows);
  }

  fail(request: number, error: unknown): void {
    this.#pending[request]?.reject(error);
  }

  close(): Promise<void> {
    this.isOpen = false;
    return Promise.resolve();
  }
}

const rowOf = (n: number, id: bigint | null, name: string | null = 'x') => ({ values: [n, name, id] as Value[] });
const tiers = (tier: string): LookupRow[] => [[tier, 150n]];

/** Turns of the event loop until the condition holds. */
async function until(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (condition()) return;
    await nodePorts.macrotasks.yield();
  }
  throw new Error(`never happened: ${what}`);
}

const open = (reader: LookupReader, settings: Partial<LookupStep> = {}) =>
  OperatorHarness.open({ create: () => new LookupOperator(stepWith(settings), reader), input });
const valuesOf = (harness: OperatorHarness) => harness.rows.map(({ values }) => values);

describe('a lookup', () => {
  it('gives the same rows however it is driven, whatever is found, cached and full', async () => {
    const row = fc.tuple(fc.option(fc.bigInt({ min: 0n, max: 5n })), fc.constantFrom('a', 'é', null));
    const settings = fc.record({
      type: fc.constantFrom('left' as const, 'inner' as const),
      capacity: fc.integer({ min: 1, max: 5 }),
      isOrdered: fc.boolean(),
      cache: fc.option(fc.record({ rows: fc.integer({ min: 1, max: 8 }), keepsMissing: fc.boolean() })),
    });
    const rowsOf = fc.array(row, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(rowsOf, settings, fc.integer({ min: 1, max: 3 }), async (given, s, n) => {
        const { cache, ...rest } = s;
        const step = stepWith({ ...rest, cache: cache === null ? null : { ...cache, ttlMs: null } });
        // As many rows as the id modulo 3 says.
        const find = (id: bigint, name: string): LookupRow[] =>
          Array.from({ length: Number(id % 3n) }, (_, index) => [`${name}${id}${index}`, index === 1 ? null : id]);
        const reader: LookupReader = {
          batchSize: n,
          open: () => Promise.resolve(),
          lookup: (asked) => Promise.resolve(asked.map(([id, name]) => find(id as bigint, name as string))),
          close: () => Promise.resolve(),
        };
        const { rows, failures } = await driveOperatorAllWays({
          create: () => new LookupOperator(step, reader),
          input,
          rows: given.map(([id, name], index) => ({ ...rowOf(index, id, name), timestamp: 1000 + index })),
          compare: s.isOrdered ? 'order' : 'rows',
        });
        const expected = given.flatMap(([id, name], index) => {
          const found = id === null || name === null ? [] : find(id, name);
          const missing = s.type === 'left' ? [[index, null, null]] : [];
          return found.length === 0 ? missing : found.map((one) => [index, ...one]);
        });
        const byPlace = (a: readonly Value[], b: readonly Value[]) => Number(a[0]) - Number(b[0]);
        expect(rows.map(({ values }) => [...values]).sort(byPlace)).toEqual(expected);
        expect(rows.every(({ timestamp, values }) => timestamp === 1000 + Number(values[0]))).toBe(true);
        expect(failures).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('asks for as many keys as it may, each once, and for more as answers come', async () => {
    const reader = new ScriptedReader(2);
    const harness = await open(reader);
    const done = harness.process([1n, 1n, 2n, 3n, 4n, 5n, 2n].map((id, n) => rowOf(n, id)));
    await until('two requests', () => reader.asked.length === 2);
    expect(reader.asked).toEqual([[[1n, 'x'], [2n, 'x']], [[3n, 'x'], [4n, 'x']]]);
    reader.answer(1, tiers('c'), tiers('d'));
    await until('the third', () => reader.asked.length === 3);
    expect(valuesOf(harness)).toEqual([]);
    reader.answer(0, tiers('a'), []);
    await until('what is answered left', () => harness.rows.length === 5);
    reader.answer(2, tiers('e'));
    await done;
    expect(valuesOf(harness).map(([n, tier]) => `${String(n)}${String(tier)}`)).toEqual([
      '0a', '1a', '2null', '3c', '4d', '5e', '6null',
    ]);
    expect([harness.counter('hitCount'), harness.counter('missCount')]).toEqual([2, 5]);
    await harness.close();
    expect(reader.isOpen).toBe(false);
  });

  it('lets rows leave as they are answered where they need not be in order', async () => {
    const reader = new ScriptedReader();
    const harness = await open(reader, { isOrdered: false });
    const done = harness.process([1n, 2n, 1n].map((id, n) => rowOf(n, id)));
    reader.answer(1, tiers('b'));
    await until('the second row left', () => harness.rows.length === 1);
    reader.answer(0, tiers('a'));
    await done;
    expect(valuesOf(harness).map(([n]) => n)).toEqual([1, 0, 2]);
    await harness.close();
  });

  it('tries again, later each time, and then the rows are errors and the others go on', async () => {
    const reader = new ScriptedReader();
    const harness = await open(reader);
    const done = harness.process([rowOf(0, 1n), rowOf(1, 2n), rowOf(2, 1n)]);
    reader.answer(1, tiers('b'));
    const started = harness.nowMs;
    for (let attempt = 1; attempt <= 3; attempt++) {
      const request = attempt === 1 ? 0 : attempt;
      reader.fail(request, errors.create('MR-TEST-BUSY', {}));
      await until(`failure ${attempt} is counted`, () => harness.counter('numLoadFailures') === attempt);
      if (attempt === 3) break;
      expect(reader.asked).toHaveLength(attempt + 1);
      harness.advanceTo(started + 10 * 2 ** attempt);
      await until(`attempt ${attempt + 1}`, () => reader.asked.length === attempt + 2);
    }
    await done;
    expect(valuesOf(harness)).toEqual([[1, 'b', 150n]]);
    const failed = ['MR-OPERATOR-LOOKUP-FAILED', 'MR-OPERATOR-LOOKUP-FAILED'];
    expect(harness.failures.map(({ code }) => code)).toEqual(failed);
    await harness.close();
  });

  it('does not wait longer than it should, and tells the reader', async () => {
    const reader = new ScriptedReader();
    const harness = await open(reader, { retry: { attempts: 1, initialMs: 1, maxMs: 1 } });
    const done = harness.process([rowOf(0, 1n)]);
    harness.advanceTo(harness.nowMs + 60_000);
    await done;
    expect(harness.failures.map(({ code }) => code)).toEqual(['MR-OPERATOR-LOOKUP-FAILED']);
    expect(reader.signals[0]?.aborted).toBe(true);
    await harness.close();
  });

  it('asks once for what asking again cannot change, and fails the job for what is no error of a row', async () => {
    const reader = new ScriptedReader();
    const harness = await open(reader);
    const done = harness.process([rowOf(0, 1n)]);
    reader.fail(0, errors.create('MR-TEST-BAD', {}));
    await done;
    expect(harness.failures.map(({ code }) => code)).toEqual(['MR-OPERATOR-LOOKUP-FAILED']);
    const again = codeOf(harness.process([rowOf(1, 1n)]));
    reader.fail(1, errors.create('MR-TEST-GONE', {}));
    expect(await again).toBe('MR-TEST-GONE');
    expect(reader.asked).toHaveLength(2);
    await harness.close();
  });

  it('remembers answers for their time, nothing that failed, and what is missing only where it should', async () => {
    const reader = new ScriptedReader();
    const harness = await open(reader, { cache: { rows: 2, ttlMs: 1000, keepsMissing: false } });
    const ask = async (id: bigint, found: readonly LookupRow[] | null): Promise<void> => {
      const before = reader.asked.length;
      const done = harness.process([rowOf(0, id)]);
      if (reader.asked.length > before && found !== null) reader.answer(before, found);
      if (reader.asked.length > before && found === null) reader.fail(before, errors.create('MR-TEST-BAD', {}));
      await done;
    };
    await ask(1n, tiers('a'));
    await ask(1n, tiers('b'));
    expect(reader.asked).toHaveLength(1);
    await ask(2n, []);
    await ask(2n, []);
    await ask(3n, null);
    await ask(3n, tiers('c'));
    expect(reader.asked).toHaveLength(5);
    // 1 was used since the cache has last looked for something to forget; 3 is forgotten for 4.
    await ask(1n, null);
    await ask(4n, tiers('d'));
    await ask(1n, null);
    expect(reader.asked).toHaveLength(6);
    harness.advanceTo(harness.nowMs + 1000);
    await ask(1n, tiers('z'));
    expect(reader.asked).toHaveLength(7);
    expect(valuesOf(harness).at(-1)).toEqual([0, 'z', 150n]);
    await harness.close();
  });

  it('aborts what is under way when it is closed', async () => {
    const reader = new ScriptedReader();
    const harness = await open(reader);
    void harness.process([rowOf(0, 1n)]);
    await until('a request', () => reader.asked.length === 1);
    await harness.close();
    expect(reader.signals[0]?.aborted).toBe(true);
  });
});
