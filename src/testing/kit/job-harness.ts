import { MAX_WATERMARK_MS } from '../../core/index.ts';
import type { MillraceError, Operator, RowSchema, SourceSpec } from '../../core/index.ts';
import type { JobEdge, JobGraph, JobVertex } from '../../graph/index.ts';
import type { OperatorNode } from '../../operators/index.ts';
import { subtaskOfRow } from '../key-groups.ts';
import type { OperatorSnapshot } from '../operator-harness.ts';
import { SubtaskHarness } from './subtask-harness.ts';
import type { MovingRow, SubtaskRestore } from './subtask-harness.ts';
import { userRow, valuesOf } from './user-rows.ts';

/** A row of an output. */
export interface Change<Row extends object = object> {
  /** What the row does to what came before: it is added, it replaces the newest one of its key, or it is taken back. */
  readonly kind: 'insert' | 'update-before' | 'update-after' | 'delete';
  readonly row: Row;
  /** Event time in ms; null where there is none. */
  readonly timestamp: number | null;
}

/** A record that a step could not process. */
export interface FailedRecord {
  readonly stepId: string;
  readonly code: string;
  readonly message: string;
}

export interface HarnessSettings {
  /** Wins over that of the job. */
  readonly parallelism?: number;
  /** What the clock shows at first, in ms. */
  readonly nowMs?: number;
  /** As what rows hold values of type long. Default `number`. */
  readonly longs?: 'number' | 'bigint';
  /** A record that fails is thrown by the call that led to it (the default), or collected in `failures`. */
  readonly errors?: 'throw' | 'collect';
  /** Every step is snapshotted, ended and restored after every event: the output must be the same. */
  readonly restarts?: 'none' | 'after-every-event';
}

/** What all steps remember, and how far time has come. Opaque. */
export interface JobSnapshot {
  readonly operators: ReadonlyMap<string, readonly OperatorSnapshot[]>;
  /** By vertex. */
  readonly watermarks: ReadonlyMap<string, number>;
  readonly ended: ReadonlySet<string>;
  readonly nowMs: number;
}

/** A subtask, and the channel by which another one sends to it. */
interface Receiver {
  readonly subtask: SubtaskHarness;
  readonly channel: number;
}

/** Compiles the job for so many subtasks. */
export type CompileFor = (parallelism: number | null) => Promise<JobGraph>;

export interface HarnessParts {
  readonly compile: CompileFor;
  readonly create: (node: OperatorNode) => Operator;
  readonly settings: HarnessSettings;
}

const KINDS = ['insert', 'update-before', 'update-after', 'delete'] as const;

/**
 * A whole job on the calling thread, with no broker, no threads and no clock but its own. Each call sends one event
 * through the job, to the end, before it resolves: what comes out is the same each time.
 */
export class JobHarness {
  /** Records that failed, where the settings say `errors: 'collect'`. */
  readonly failures: FailedRecord[] = [];
  readonly #parts: HarnessParts;
  readonly #outputs = new Map<string, Change[]>();
  readonly #taken = new Map<string, number>();
  readonly #sources = new Map<string, { next: number }>();
  readonly #ended = new Set<string>();
  #graph: JobGraph;
  #subtasks = new Map<string, readonly SubtaskHarness[]>();
  #nowMs: number;
  #failure: MillraceError | null = null;
  #turn = 0;

  private constructor(parts: HarnessParts, graph: JobGraph) {
    this.#parts = parts;
    this.#graph = graph;
    this.#nowMs = parts.settings.nowMs ?? 1_700_000_000_000;
    for (const { chain } of graph.vertices) {
      for (const node of chain) {
        if (node.kind === 'source') this.#sources.set(node.spec.stepId, { next: 0 });
        if (node.kind === 'sink') this.#outputs.set(node.spec.stepId, []);
      }
    }
  }

  static async open(parts: HarnessParts, restore: JobSnapshot | null): Promise<JobHarness> {
    const harness = new JobHarness(parts, await parts.compile(parts.settings.parallelism ?? null));
    await harness.#open(restore);
    return harness;
  }

  /** What the clock shows. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Rows come from a source; it may be left out where there is one. They spread over its subtasks in turn. */
  async send(rows: readonly object[], source?: string): Promise<void> {
    const vertex = this.#source(source);
    const subtasks = this.#subtasks.get(vertex.id) ?? [];
    const at = this.#sources.get(specOf(vertex).stepId) ?? { next: 0 };
    if (this.#ended.has(vertex.id)) throw new Error(`the source ${specOf(vertex).stepId} has ended`);
    for (const row of rows) {
      const subtask = subtasks[at.next++ % subtasks.length];
      await subtask?.rows([sourceRow(row, vertex)], 0);
      this.#throwFailure();
    }
    await this.#settle();
  }

  /** A source has reached this event time; all of them where none is named. */
  async watermark(timestampMs: number, source?: string): Promise<void> {
    const vertices = source === undefined ? this.#sourceVertices() : [this.#source(source)];
    for (const vertex of vertices) await this.#watermark(vertex, 0, timestampMs);
    await this.#settle();
  }

  /** The clock goes on, and timers go off, each at its time. */
  async advanceTo(nowMs: number): Promise<void> {
    const all = (): readonly SubtaskHarness[] => [...this.#subtasks.values()].flat();
    for (;;) {
      const next = Math.min(...all().map(({ alarmMs }) => alarmMs));
      if (next > nowMs) break;
      this.#nowMs = Math.max(next, this.#nowMs);
      for (const subtask of all()) await subtask.advanceTo(this.#nowMs);
      this.#throwFailure();
    }
    this.#nowMs = Math.max(nowMs, this.#nowMs);
    for (const subtask of all()) await subtask.advanceTo(this.#nowMs);
    await this.#settle();
  }

  /** All sources end, or the one that is named: event time has no end before it. */
  async finish(source?: string): Promise<void> {
    const vertices = source === undefined ? this.#sourceVertices() : [this.#source(source)];
    for (const vertex of vertices) {
      if (this.#ended.has(vertex.id)) continue;
      for (const subtask of this.#subtasks.get(vertex.id) ?? []) await this.#end(subtask, 0);
    }
    this.#throwFailure();
  }

  /** All that a sink was given so far; it may be left out where there is one. */
  changes(sink?: string): readonly Change[] {
    return [...this.#output(sink)];
  }

  /** The rows that a sink was given since the last call, whatever they do to earlier ones. */
  take(sink?: string): readonly object[] {
    const all = this.#output(sink);
    const name = sink ?? this.#onlySink();
    const from = this.#taken.get(name) ?? 0;
    this.#taken.set(name, all.length);
    return all.slice(from).map(({ row }) => row);
  }

  /** What all steps remember now; a new harness of the job, or of a changed one, may begin with it. */
  async snapshot(): Promise<JobSnapshot> {
    const operators = new Map<string, OperatorSnapshot[]>();
    const watermarks = new Map<string, number>();
    for (const [vertexId, subtasks] of this.#subtasks) {
      for (const subtask of subtasks) {
        for (const [stepId, snapshot] of await subtask.snapshot()) {
          operators.set(stepId, [...(operators.get(stepId) ?? []), snapshot]);
        }
      }
      watermarks.set(vertexId, Math.min(...subtasks.map(({ watermarkMs }) => watermarkMs)));
    }
    return { operators, watermarks, ended: new Set(this.#ended), nowMs: this.#nowMs };
  }

  /** Ends every step and begins it anew from what it remembers, in as many subtasks as are said. Outputs stay. */
  async restart(parallelism?: number): Promise<void> {
    const snapshot = await this.snapshot();
    await this.close();
    if (parallelism !== undefined) this.#graph = await this.#parts.compile(parallelism);
    await this.#open(snapshot);
  }

  async close(): Promise<void> {
    for (const subtask of [...this.#subtasks.values()].flat()) await subtask.close();
    this.#subtasks = new Map();
  }

  async #open(restore: JobSnapshot | null): Promise<void> {
    const { vertices, edges, maxParallelism } = this.#graph;
    this.#nowMs = restore?.nowMs ?? this.#nowMs;
    for (const id of restore?.ended ?? []) this.#ended.add(id);
    const { create } = this.#parts;
    for (const vertex of vertices) {
      const outputs = edges.filter(({ from }) => from === vertex.id);
      const subtasks: SubtaskHarness[] = [];
      for (let subtaskIndex = 0; subtaskIndex < vertex.parallelism; subtaskIndex++) {
        const subtask = await SubtaskHarness.open({
          vertex,
          subtaskIndex,
          maxParallelism,
          create: (node) => () => create(node),
          nowMs: this.#nowMs,
          channels: this.#openings(vertex),
          sides: outputs.flatMap(({ side }) => side ?? []),
          restore: restore === null ? null : restoreOf(vertex, restore),
          leave: (rows, side) => this.#leave(vertex, subtaskIndex, rows, side),
          failed: (error, stepId) => this.#failed(error, stepId),
        });
        subtasks.push(subtask);
      }
      this.#subtasks.set(vertex.id, subtasks);
    }
    // What is behind learns again how far those in front have come.
    for (const subtask of restore === null ? [] : [...this.#subtasks.values()].flat()) {
      for (const { subtask: next, channel } of this.#receivers(subtask.vertex, subtask.subtaskIndex)) {
        await this.#reach(next, channel, subtask.watermarkMs);
      }
    }
  }

  /** Of each channel to a subtask of this vertex, whether it has ended; a source has one of its own. */
  #openings(vertex: JobVertex): readonly boolean[] {
    if (vertex.inputs.length === 0) return [this.#ended.has(vertex.id)];
    return this.#channelsOf(vertex).map(({ edge }) => this.#ended.has(edge.from));
  }

  /** The senders of a subtask of this vertex: an edge and a subtask each. */
  #channelsOf(vertex: JobVertex): readonly { readonly edge: JobEdge; readonly sender: number }[] {
    return vertex.inputs.flatMap((id) => {
      const edge = this.#graph.edges.find((each) => each.id === id);
      const from = this.#graph.vertices.find((each) => each.id === edge?.from);
      if (edge === undefined || from === undefined) return [];
      return Array.from({ length: from.parallelism }, (_, sender) => ({ edge, sender }));
    });
  }

  /** The receivers of what a subtask sends on its edges, with the channel that it comes by. */
  #receivers(vertex: JobVertex, sender: number): readonly Receiver[] {
    return this.#graph.edges
      .filter(({ from }) => from === vertex.id)
      .flatMap((edge) => {
        const to = this.#graph.vertices.find(({ id }) => id === edge.to);
        const channel = to === undefined ? -1 : this.#channelsOf(to).findIndex(isChannel(edge, sender));
        return (this.#subtasks.get(edge.to) ?? []).map((subtask) => ({ subtask, channel }));
      });
  }

  async #watermark(vertex: JobVertex, channel: number, timestampMs: number): Promise<void> {
    for (const subtask of this.#subtasks.get(vertex.id) ?? []) await this.#reach(subtask, channel, timestampMs);
    this.#throwFailure();
  }

  /** A subtask, and those behind it, learn how far time has come. */
  async #reach(subtask: SubtaskHarness, channel: number, timestampMs: number): Promise<void> {
    const reached = await subtask.watermark(channel, timestampMs);
    if (reached === null) return;
    for (const next of this.#receivers(subtask.vertex, subtask.subtaskIndex)) {
      await this.#reach(next.subtask, next.channel, reached);
    }
  }

  async #end(subtask: SubtaskHarness, channel: number): Promise<void> {
    await this.#reach(subtask, channel, MAX_WATERMARK_MS);
    if (!(await subtask.end(channel))) return;
    this.#ended.add(subtask.vertex.id);
    for (const next of this.#receivers(subtask.vertex, subtask.subtaskIndex)) {
      await this.#end(next.subtask, next.channel);
    }
  }

  async #leave(vertex: JobVertex, sender: number, rows: readonly MovingRow[], side: string | null): Promise<void> {
    const last = vertex.chain.at(-1);
    if (last?.kind === 'sink' && side === null) {
      this.#collect(last.spec.stepId, last.input, rows);
      return;
    }
    for (const edge of this.#graph.edges.filter((each) => each.from === vertex.id && (each.side ?? null) === side)) {
      const receivers = this.#subtasks.get(edge.to) ?? [];
      const input = receivers[0]?.vertex.inputs.indexOf(edge.id) ?? 0;
      for (const row of rows) {
        for (const target of this.#targetsOf(edge, row, sender, receivers.length)) {
          await receivers[target]?.rows([row], input);
        }
      }
    }
  }

  #targetsOf(edge: JobEdge, { values }: MovingRow, sender: number, count: number): readonly number[] {
    switch (edge.exchange.kind) {
      case 'forward':
        return [sender];
      case 'rebalance':
        return [this.#turn++ % count];
      case 'broadcast':
        return Array.from({ length: count }, (_, index) => index);
      case 'hash':
        return [subtaskOfRow(edge.schema, edge.exchange.keys, values, count, this.#graph.maxParallelism)];
    }
  }

  #collect(sink: string, schema: RowSchema, rows: readonly MovingRow[]): void {
    const { longs = 'number' } = this.#parts.settings;
    const changes = rows.map(({ values, timestamp, rowKind }) => ({
      kind: KINDS[rowKind] ?? 'insert',
      row: userRow(values, schema, longs),
      timestamp,
    }));
    this.#outputs.get(sink)?.push(...changes);
  }

  #failed(error: MillraceError, stepId: string): void {
    const { errors = 'throw' } = this.#parts.settings;
    if (errors === 'collect') this.failures.push({ stepId, code: error.code, message: error.message });
    else this.#failure ??= error;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure;
  }

  async #settle(): Promise<void> {
    this.#throwFailure();
    if (this.#parts.settings.restarts === 'after-every-event') await this.restart();
  }

  #sourceVertices(): readonly JobVertex[] {
    return this.#graph.vertices.filter(({ chain }) => chain[0]?.kind === 'source');
  }

  #source(name: string | undefined): JobVertex {
    const vertices = this.#sourceVertices();
    const found = name === undefined ? vertices : vertices.filter((vertex) => specOf(vertex).stepId === name);
    const [vertex] = found;
    if (vertex !== undefined && found.length === 1) return vertex;
    const known = vertices.map((each) => specOf(each).stepId).join(', ');
    throw new Error(name === undefined ? `say which source: ${known}` : `there is no source ${name}, only ${known}`);
  }

  #output(name: string | undefined): Change[] {
    const output = this.#outputs.get(name ?? this.#onlySink());
    if (output !== undefined) return output;
    throw new Error(`there is no sink ${name ?? ''}, only ${[...this.#outputs.keys()].join(', ')}`);
  }

  #onlySink(): string {
    const [name, ...others] = this.#outputs.keys();
    if (name !== undefined && others.length === 0) return name;
    throw new Error(`say which sink: ${[...this.#outputs.keys()].join(', ')}`);
  }
}

function isChannel(edge: JobEdge, sender: number) {
  return (channel: { readonly edge: JobEdge; readonly sender: number }): boolean =>
    channel.edge === edge && channel.sender === sender;
}

function restoreOf(vertex: JobVertex, { operators, watermarks }: JobSnapshot): SubtaskRestore {
  return { operators, watermarkMs: watermarks.get(vertex.id) ?? -Infinity };
}

function specOf(vertex: JobVertex): SourceSpec {
  const [source] = vertex.chain;
  if (source?.kind !== 'source') throw new Error(`${vertex.name} does not begin with a source`);
  return source.spec;
}

/** A record, with its event time. */
function sourceRow(row: object, vertex: JobVertex): MovingRow {
  const [source] = vertex.chain;
  const { stepId, schema, metadata, projection } = specOf(vertex);
  const fields = [...schema.fields, ...metadata.map(({ name, type }) => ({ name, type }))];
  const values = valuesOf(row, { fields }, `source ${stepId}`);
  const watermark = source?.kind === 'source' ? source.watermark : null;
  if (watermark === null) return { values, timestamp: null, rowKind: 0 };
  const time = values[projection[watermark.column] ?? 0];
  if (typeof time !== 'number') throw new Error(`a row of source ${stepId} has no time: ${JSON.stringify(row)}`);
  return { values, timestamp: time, rowKind: 0 };
}
