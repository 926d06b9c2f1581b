/**
 * One subtask of a job by itself: the operators of its chain, one behind the other, and its gate. An event goes through
 * it to the end before the next one comes; what leaves it is handed to `leave`.
 */
import { MAX_WATERMARK_MS } from '../../core/index.ts';
import type { MillraceError, RowSchema, Value } from '../../core/index.ts';
import type { ChainNode, JobVertex } from '../../graph/index.ts';
import type { OperatorNode } from '../../operators/index.ts';
import type { OutputRow } from '../harness-output.ts';
import { OperatorHarness } from '../operator-harness.ts';
import type { HarnessOptions, OperatorSnapshot } from '../operator-harness.ts';

/** A row on its way. */
export interface MovingRow {
  readonly values: readonly Value[];
  readonly timestamp: number | null;
  readonly rowKind: number;
}

export interface SubtaskOptions {
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  readonly maxParallelism: number;
  readonly create: (node: OperatorNode) => HarnessOptions['create'];
  readonly nowMs: number;
  /** Of each channel that leads here, whether it has ended. */
  readonly channels: readonly boolean[];
  /** The sides of the last step that are read. */
  readonly sides: readonly string[];
  readonly restore: SubtaskRestore | null;
  readonly leave: (rows: readonly MovingRow[], side: string | null) => Promise<void>;
  /** Called for records that fail. */
  readonly failed: (error: MillraceError, stepId: string) => void;
}

export interface SubtaskRestore {
  readonly operators: ReadonlyMap<string, readonly OperatorSnapshot[]>;
  readonly watermarkMs: number;
}

interface Stage {
  readonly stepId: string;
  readonly harness: OperatorHarness;
  /** How many failures and rows of sides were seen. */
  failures: number;
  readonly sideRows: Map<string, number>;
}

export class SubtaskHarness {
  readonly vertex: JobVertex;
  readonly subtaskIndex: number;
  readonly #options: SubtaskOptions;
  readonly #stages: readonly Stage[];
  /** What each channel has reached; an ended one is at the end of time. */
  readonly #channels: Float64Array;
  #watermarkMs: number;
  #openChannels: number;

  private constructor(options: SubtaskOptions, stages: readonly Stage[]) {
    this.vertex = options.vertex;
    this.subtaskIndex = options.subtaskIndex;
    this.#options = options;
    this.#stages = stages;
    this.#watermarkMs = options.restore?.watermarkMs ?? -Infinity;
    this.#channels = Float64Array.from(options.channels, (hasEnded) =>
      hasEnded ? MAX_WATERMARK_MS : this.#watermarkMs,
    );
    this.#openChannels = options.channels.filter((hasEnded) => !hasEnded).length;
  }

  static async open(options: SubtaskOptions): Promise<SubtaskHarness> {
    const stages: Stage[] = [];
    const nodes = options.vertex.chain.filter(({ kind }) => kind !== 'sink' && kind !== 'union');
    for (const node of nodes) {
      const stage = stageOf(node);
      if (stage === null) continue;
      const restored = options.restore?.operators.get(stage.stepId) ?? [];
      const isLast = node === nodes.at(-1);
      const harness = await OperatorHarness.open({
        create: options.create(stage.operator),
        input: stage.input,
        stepId: stage.stepId,
        subtaskIndex: options.subtaskIndex,
        parallelism: options.vertex.parallelism,
        maxParallelism: options.maxParallelism,
        nowMs: options.nowMs,
        sides: isLast ? options.sides : [],
        restore: restored,
      });
      stages.push({ stepId: stage.stepId, harness, failures: 0, sideRows: new Map() });
    }
    return new SubtaskHarness(options, stages);
  }

  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** When an operator wants to be woken; Infinity for never. */
  get alarmMs(): number {
    return Math.min(Infinity, ...this.#stages.map(({ harness }) => harness.alarmMs));
  }

  rows(rows: readonly MovingRow[], input: number): Promise<void> {
    return this.#pass(rows, input, 0);
  }

  /** A channel has reached this time. */
  async watermark(channel: number, timestampMs: number): Promise<number | null> {
    this.#channels[channel] = Math.max(timestampMs, this.#channels[channel] ?? -Infinity);
    const least = Math.min(...this.#channels);
    if (least <= this.#watermarkMs) return null;
    this.#watermarkMs = least;
    for (const [index, stage] of this.#stages.entries()) {
      stage.harness.watermark(least);
      await this.#drain(stage, index);
    }
    return least;
  }

  /** A channel has ended; true for the last one. */
  async end(channel: number): Promise<boolean> {
    await this.watermark(channel, MAX_WATERMARK_MS);
    if (--this.#openChannels > 0) return false;
    for (const [index, stage] of this.#stages.entries()) {
      stage.harness.finish();
      await this.#drain(stage, index);
    }
    return true;
  }

  async advanceTo(nowMs: number): Promise<void> {
    for (const [index, stage] of this.#stages.entries()) {
      stage.harness.advanceTo(nowMs);
      await this.#drain(stage, index);
    }
  }

  /** What the operators with state remember, by step. */
  async snapshot(): Promise<ReadonlyMap<string, OperatorSnapshot>> {
    const snapshots = new Map<string, OperatorSnapshot>();
    for (const [index, stage] of this.#stages.entries()) {
      if (!stage.harness.hasState) continue;
      const snapshot = stage.harness.snapshot();
      await this.#drain(stage, index);
      snapshots.set(stage.stepId, snapshot);
    }
    return snapshots;
  }

  async close(): Promise<void> {
    for (const { harness } of this.#stages) await harness.close();
  }

  async #pass(rows: readonly MovingRow[], input: number, from: number): Promise<void> {
    const stage = this.#stages[from];
    if (rows.length === 0) return;
    if (stage === undefined) {
      await this.#options.leave(rows, null);
      return;
    }
    await stage.harness.process(rows.map((row) => ({ ...row, timestamp: row.timestamp ?? NaN, input })));
    stage.harness.flush();
    await this.#drain(stage, from);
  }

  /** Hands on what an operator has emitted. */
  async #drain(stage: Stage, index: number): Promise<void> {
    const { harness, stepId } = stage;
    for (const error of harness.errors.slice(stage.failures)) this.#options.failed(error, stepId);
    stage.failures = harness.errors.length;
    const rows = harness.takeRows();
    for (const side of this.#options.sides) {
      const seen = stage.sideRows.get(side) ?? 0;
      const all = harness.sideRows(side);
      stage.sideRows.set(side, all.length);
      if (all.length > seen) await this.#options.leave(all.slice(seen).map(movingRow), side);
    }
    await this.#pass(rows.map(movingRow), 0, index + 1);
  }
}

function movingRow({ values, timestamp, rowKind }: OutputRow): MovingRow {
  return { values, timestamp: timestamp === null || Number.isNaN(timestamp) ? null : timestamp, rowKind };
}

interface OperatorStage {
  readonly stepId: string;
  readonly operator: OperatorNode;
  readonly input: RowSchema | readonly RowSchema[];
}

/** A source has the filters that were pushed into it, and takes only the fields that are needed. */
function stageOf(node: ChainNode): OperatorStage | null {
  switch (node.kind) {
    case 'source': {
      const { stepId, schema, metadata, projection, filters } = node.spec;
      const fields = [...schema.fields, ...metadata.map(({ name, type }) => ({ name, type }))];
      const input = { fields };
      const select = projection.map((index) => {
        const { name, type } = fields[index] as (typeof fields)[number];
        return { name, expression: { kind: 'column', index, name, type } as const };
      });
      const steps = [
        ...filters.map(({ stepId: step, predicate }) => ({ kind: 'filter', stepId: step, predicate }) as const),
        { kind: 'select', stepId, fields: select } as const,
      ];
      return { stepId, operator: { kind: 'transform', steps, input }, input };
    }
    case 'transform':
      return { stepId: node.steps.at(-1)?.stepId ?? '', operator: node, input: node.input };
    case 'join':
      return { stepId: node.stepId, operator: node, input: [node.left, node.right] };
    case 'union':
    case 'sink':
      return null;
    default:
      return { stepId: node.stepId, operator: node, input: node.input };
  }
}
