/** After a barrier that has overtaken watermarks: subtasks of a step had come to different ones, and are rescaled. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { types } from '../../core/index.ts';
import type { Operator, Value } from '../../core/index.ts';
import { OperatorHarness, memorySpill, subtaskOfRow } from '../../testing/index.ts';
import type { InputRow, OperatorSnapshot, OutputRow } from '../../testing/index.ts';
import { aggregate, input } from '../fixtures/reference-aggregates.ts';
import { SLOW_MS, newest, textOf, windowSpecOf } from '../fixtures/window-cases.ts';
import { SessionWindowOperator } from './session-window-operator.ts';
import { SliceWindowOperator } from './slice-window-operator.ts';
import type { SessionWindow, SlicedWindow, WindowSpec } from './window-spec.ts';

const KEY_GROUPS = 8;
const MOST_SUBTASKS = 3;
const ALL_GROUPS = new Set(Array.from({ length: KEY_GROUPS }, (_, group) => group));

/** What happens between two restores. */
interface Phase {
  readonly parallelism: number;
  /** Null for all that it takes. */
  readonly memoryBytes: number | null;
  /** Whether the last checkpoint has only what changed since one that was taken between. */
  readonly hasChanges: boolean;
  readonly rows: readonly { readonly key: string; readonly number: bigint; readonly laterMs: number }[];
  /** By how much the watermark of each subtask goes on, before these rows and behind them. */
  readonly before: readonly number[];
  readonly behind: readonly number[];
}

const advances = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: MOST_SUBTASKS, maxLength: MOST_SUBTASKS });
const phaseArbitrary: fc.Arbitrary<Phase> = fc.record({
  parallelism: fc.integer({ min: 1, max: MOST_SUBTASKS }),
  memoryBytes: fc.constantFrom(null, 1, 8000),
  hasChanges: fc.boolean(),
  rows: fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      number: fc.bigInt(-9n, 9n),
      laterMs: fc.integer({ min: 0, max: 120 }),
    }),
    { maxLength: 12 },
  ),
  before: advances,
  behind: advances,
});

const calls = [aggregate('count', null, types.long), aggregate('sum', 1, types.long)];

const windows: readonly (readonly [string, SlicedWindow | SessionWindow])[] = [
  ['tumble', { kind: 'tumble', sizeMs: 50, offsetMs: 3 }],
  ['hop', { kind: 'hop', sizeMs: 60, slideMs: 20, offsetMs: 0 }],
  ['cumulate', { kind: 'cumulate', stepMs: 20, maxMs: 80, offsetMs: 0 }],
  ['session', { kind: 'session', gapMs: 25 }],
];

describe('windows of which some key groups had come further than others', () => {
  const cases = windows.flatMap(([name, window]) => [0, 45].map((latenessMs) => ({ name, window, latenessMs })));

  it.each(cases)('emit each window once: $name, lateness $latenessMs', async ({ window, latenessMs }) => {
    const spec = windowSpecOf(window, { calls, latenessMs });
    await fc.assert(
      fc.asyncProperty(fc.array(phaseArbitrary, { minLength: 1, maxLength: 4 }), async (phases) => {
        const run = new Run(spec);
        for (const phase of phases) await run.go(phase);
        const [rows, expected] = [await run.end(), await outputOfOne(spec, run.fed)];
        if (latenessMs === 0) expect(textOf(rows)).toEqual(textOf(expected));
        else expect(newest(rows, 1)).toEqual(newest(expected, 1));
      }),
      { numRuns: 100 },
    );
  }, SLOW_MS);
});

type Spec = WindowSpec<SlicedWindow | SessionWindow>;

function operatorOf(spec: Spec): Operator {
  const { window } = spec;
  return window.kind === 'session'
    ? new SessionWindowOperator({ ...spec, window })
    : new SliceWindowOperator({ ...spec, window });
}

/** What comes out where nobody waits for anybody: no row is late. */
async function outputOfOne(spec: Spec, rows: readonly InputRow[]): Promise<readonly OutputRow[]> {
  const harness = await OperatorHarness.open({ create: () => operatorOf(spec), input });
  await harness.process(rows);
  harness.finish();
  const output = harness.takeRows();
  await harness.close();
  return output;
}

class Run {
  readonly fed: InputRow[] = [];
  readonly #spec: Spec;
  readonly #output: OutputRow[] = [];
  #snapshots: readonly OperatorSnapshot[] = [];
  /** The latest that any key group has come to. */
  #latestMs = 0;

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  async go({ parallelism, memoryBytes, hasChanges, rows, before, behind }: Phase): Promise<void> {
    const leastMs = Math.min(...this.#snapshots.map(({ watermarkMs }) => watermarkMs ?? 0));
    const watermarks = new Array<number>(parallelism).fill(this.#snapshots.length === 0 ? 0 : leastMs);
    const harnesses: OperatorHarness[] = [];
    for (let subtaskIndex = 0; subtaskIndex < parallelism; subtaskIndex++) {
      harnesses.push(await this.#open(subtaskIndex, parallelism, memoryBytes));
    }
    const advance = async (by: readonly number[]): Promise<void> => {
      for (const [index, harness] of harnesses.entries()) {
        const watermarkMs = (watermarks[index] ?? 0) + (by[index] ?? 0);
        watermarks[index] = watermarkMs;
        this.#latestMs = Math.max(this.#latestMs, watermarkMs);
        await harness.watermarkFromDisk(watermarkMs);
      }
    };
    await advance(before);
    for (const { key, number, laterMs } of rows) {
      const values: Value[] = [key, number, null, null, null, null, null];
      // Too late for nobody.
      const row = { values, timestamp: this.#latestMs - this.#spec.latenessMs + laterMs };
      this.fed.push(row);
      await harnesses[subtaskOfRow(input, [0], values, parallelism, KEY_GROUPS)]?.process([row]);
    }
    const files: OperatorSnapshot[][] = [];
    const hasFiles = hasChanges && memoryBytes !== null && this.#spec.window.kind !== 'session';
    for (const harness of harnesses) files.push(hasFiles ? [await checkpoint(harness, ALL_GROUPS)] : []);
    await advance(behind);
    this.#snapshots = (await Promise.all(harnesses.map((each, index) => this.#leave(each, files[index] ?? [])))).flat();
  }

  async end(): Promise<readonly OutputRow[]> {
    const last = await this.#open(0, 1, null);
    last.finish();
    this.#output.push(...last.takeRows());
    await last.close();
    return this.#output;
  }

  #open(subtaskIndex: number, parallelism: number, memoryBytes: number | null): Promise<OperatorHarness> {
    return OperatorHarness.open({
      create: () => operatorOf(this.#spec),
      input,
      subtaskIndex,
      parallelism,
      maxParallelism: KEY_GROUPS,
      restore: this.#snapshots,
      ...(memoryBytes === null ? {} : { spill: memorySpill(memoryBytes) }),
    });
  }

  /** What is left of it, of which `older` are files already. */
  async #leave(harness: OperatorHarness, older: readonly OperatorSnapshot[]): Promise<readonly OperatorSnapshot[]> {
    const last = await checkpoint(harness, older.length > 0 ? new Set() : ALL_GROUPS);
    this.#output.push(...harness.takeRows());
    await harness.close();
    return [...older.map((file) => ({ ...file, watermarkMs: last.watermarkMs })), last];
  }
}

async function checkpoint(harness: OperatorHarness, whole: ReadonlySet<number>): Promise<OperatorSnapshot> {
  await harness.flushFromDisk();
  const pending = harness.beginSnapshot({ whole });
  const snapshot = await pending.takeFromDisk();
  pending.confirm();
  return snapshot;
}
