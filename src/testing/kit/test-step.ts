import { job } from '../../api/index.ts';
import type { EmittedRow, RowOf, Schema, Stream } from '../../api/index.ts';
import { GIVEN } from './given-ends.ts';
import type { Change, FailedRecord, JobHarness, JobSnapshot } from './job-harness.ts';
import { testJob } from './test-job.ts';
import type { TestSettings } from './test-job.ts';

export interface StepSettings<In extends Schema, Side extends string> extends TestSettings {
  /** The field that says when a row happened; without it rows have no event time. */
  readonly time?: keyof In & string;
  /** The sides of the step that are kept. */
  readonly sides?: readonly Side[];
}

const INPUT = 'input';
const OUTPUT = 'output';

/** Sides have names of steps; their sinks need other ones. */
const sinkOf = (side: string): string => `${OUTPUT}-${side}`;

/** A harness around one step, or several in a row, with typed rows. */
export class StepHarness<In extends Schema, Out extends Schema> {
  readonly #job: JobHarness;

  constructor(harness: JobHarness) {
    this.#job = harness;
  }

  get failures(): readonly FailedRecord[] {
    return this.#job.failures;
  }

  send(...rows: readonly EmittedRow<In>[]): Promise<void> {
    return this.#job.send(rows);
  }

  watermark(timestampMs: number): Promise<void> {
    return this.#job.watermark(timestampMs);
  }

  advanceTo(nowMs: number): Promise<void> {
    return this.#job.advanceTo(nowMs);
  }

  finish(): Promise<void> {
    return this.#job.finish();
  }

  /** The rows that left the step since the last call. */
  take(): readonly RowOf<Out>[] {
    return this.#job.take(OUTPUT) as readonly RowOf<Out>[];
  }

  /** The rows that left it by a side since the last call. */
  takeSide(side: string): readonly object[] {
    return this.#job.take(sinkOf(side));
  }

  /** All that has left the step, with what each row does to earlier ones. */
  changes(): readonly Change<RowOf<Out>>[] {
    return this.#job.changes(OUTPUT) as readonly Change<RowOf<Out>>[];
  }

  snapshot(): Promise<JobSnapshot> {
    return this.#job.snapshot();
  }

  restart(parallelism?: number): Promise<void> {
    return this.#job.restart(parallelism);
  }

  close(): Promise<void> {
    return this.#job.close();
  }
}

/** A harness around what `build` makes of a stream of rows with these fields. */
export async function testStep<const In extends Schema, Out extends Schema, const Side extends string = never>(
  input: In,
  build: (rows: Stream<In>) => Stream<Out, { readonly [Name in Side]: Schema }>,
  settings: StepSettings<In, Side> = {},
): Promise<StepHarness<In, Out>> {
  const { time, sides = [] } = settings;
  const watermark = time === undefined ? {} : { watermark: { field: time } };
  const rows = job('step').source(INPUT, { connector: GIVEN, schema: input, ...watermark });
  const output = build(rows as unknown as Stream<In>);
  for (const side of sides) output.side(side).sink(sinkOf(side), { connector: GIVEN });
  return new StepHarness<In, Out>(await testJob(output.sink(OUTPUT, { connector: GIVEN }), settings));
}
