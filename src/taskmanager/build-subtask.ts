import { counterNames, KeyGroupWatermarks, stepId as toStepId } from '../core/index.ts';
import type {
  CheckpointStorage,
  ConnectorCatalog,
  Counter,
  InFlightRoute,
  OperatorContext,
  Ports,
  RunIdentity,
  SinkSpec,
  SinkWriter,
  SourceReader,
  SourceSpec,
  TaskContext,
} from '../core/index.ts';
import type { ChainNode, SinkNode, SourceNode } from '../graph/index.ts';
import type { SliceDescriptor, TaskDescriptor, TaskOutput } from '../rpc/index.ts';
import { Alarms } from './alarms.ts';
import { Chain } from './chain.ts';
import type { ChainStage, ChainTail } from './chain.ts';
import { GateHead, SourceHead } from './chain-head.ts';
import type { ChainHead } from './chain-head.ts';
import { ExchangeTail, SinkTail } from './chain-tail.ts';
import type { RouteTo } from './chain-tail.ts';
import { AlignmentTimeout } from './checkpoints/alignment-timeout.ts';
import { RecoveredRows } from './checkpoints/recovered-rows.ts';
import { restoreChannels } from './checkpoints/restore-channels.ts';
import { OperatorFiles } from './checkpoints/operator-files.ts';
import { restoreState } from './checkpoints/restore-state.ts';
import { RowsAside } from './checkpoints/rows-aside.ts';
import { SubtaskCheckpoints } from './checkpoints/subtask-checkpoints.ts';
import { taskErrors } from './errors.ts';
import { PolicyErrorHandler } from './record-errors.ts';
import type { OperatorFactory } from './slot-entry.ts';
import type { SlotLinks } from './slot-links.ts';
import type { AccountedState, SlotState } from './slot-state.ts';
import { SplitWatermarks } from './split-watermarks.ts';
import type { SubtaskPart, SubtaskParts } from './subtask.ts';
import { TaskCounters } from './task-counters.ts';

export interface SubtaskMaterials {
  readonly slice: SliceDescriptor;
  readonly links: SlotLinks;
  readonly rack: string | null;
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly createOperator: OperatorFactory;
  readonly watermarkIntervalMs: number;
  /** Where state files go; null where the job takes no checkpoints. */
  readonly storage: CheckpointStorage | null;
  readonly state: SlotState;
}

export interface BuiltSubtask {
  /** Of its operators that remember anything. */
  readonly states: readonly AccountedState[];
  readonly parts: SubtaskParts;
  /** Where the chain starts with a source. */
  readonly source: SourceHead | null;
  /** Where the chain ends with a sink. */
  readonly sink: SinkTail | null;
}

/** Puts together the parts of a subtask. Opens nothing; throws where a part does not exist or cannot be made. */
export function buildSubtask(task: TaskDescriptor, materials: SubtaskMaterials): BuiltSubtask {
  return new SubtaskBuilder(task, materials).build();
}

class SubtaskBuilder {
  readonly #task: TaskDescriptor;
  readonly #materials: SubtaskMaterials;
  readonly #counters = new TaskCounters();
  readonly #errors: PolicyErrorHandler;
  readonly #timeout: AlignmentTimeout;
  readonly #recovered = new RecoveredRows();
  readonly #ahead: KeyGroupWatermarks | null;

  constructor(task: TaskDescriptor, materials: SubtaskMaterials) {
    this.#task = task;
    this.#materials = materials;
    this.#errors = new PolicyErrorHandler(task.errors, this.#counters);
    const runs = task.restore?.ahead;
    this.#ahead = runs === undefined ? null : new KeyGroupWatermarks(runs);
    this.#timeout = new AlignmentTimeout(materials.ports.clock, this.#alignmentTimeoutMs);
  }

  build(): BuiltSubtask {
    const { chain: nodes } = this.#task.vertex;
    const first = nodes[0];
    const last = nodes.at(-1);
    const sourceNode = first?.kind === 'source' ? first : null;
    const sinkNode = last?.kind === 'sink' ? last : null;
    const inner = nodes.filter((node) => node.kind !== 'source' && node.kind !== 'sink');
    const stages = inner.map((node) => this.#stage(node));
    const writer = sinkNode === null ? null : this.#createWriter(sinkNode.spec);
    const reader = sourceNode === null ? null : this.#createReader(sourceNode.spec);
    const tail = this.#tail(sinkNode, writer);
    const chain = new Chain(stages, tail.tail, this.#restoredWatermarkMs);
    const alarms = new Alarms(this.#materials.ports.clock, stages.length);
    const checkpoints = this.#checkpoints(sourceNode, reader, sinkNode, writer, chain);
    const head = this.#head(sourceNode, reader, checkpoints);
    if (checkpoints !== null) {
      chain.barriers = checkpoints;
      tail.tail.overtaken = (route, frame) => checkpoints.overtook(route, frame);
    }
    const operatorParts = stages.flatMap((stage, index) => this.#operatorPart(stage, inner, index, chain, alarms));
    return {
      parts: {
        attemptId: this.#task.attemptId,
        subtaskIndex: this.#task.subtaskIndex,
        counters: this.#counters,
        hasOutputs: this.#task.outputs.length > 0,
        chain,
        head: head.head,
        alarms,
        checkpoints,
        timeout: this.#timeout,
        recovered: this.#recovered,
        parts: [
          ...(sinkNode === null || writer === null ? [] : [this.#writerPart(sinkNode, writer)]),
          ...operatorParts.reverse(),
          ...(sourceNode === null || reader === null ? [] : [this.#readerPart(sourceNode, reader)]),
        ],
        restore: this.#restore(stages),
        disconnect: () => {
          tail.close();
          head.close();
        },
      },
      states: stages.flatMap(({ operator, stepId }): AccountedState[] => {
        if (operator === null || !('state' in operator)) return [];
        const counter = this.#counter(stepId, counterNames.stateBytes.name);
        return [{ stepId, state: () => operator.state, counter }];
      }),
      source: head.head instanceof SourceHead ? head.head : null,
      sink: tail.tail instanceof SinkTail ? tail.tail : null,
    };
  }

  get #run(): RunIdentity | null {
    return this.#materials.slice.checkpointing?.run ?? null;
  }

  /** Null where barriers never overtake anything. */
  get #alignmentTimeoutMs(): number | null {
    const { mode, alignmentTimeoutMs = null } = this.#run?.settings ?? {};
    return mode === 'exactly-once' ? alignmentTimeoutMs : null;
  }

  get #restoredWatermarkMs(): number {
    return this.#task.restore?.watermarkMs ?? -Infinity;
  }

  get #restoredId(): number {
    return this.#task.restore?.checkpointId ?? 0;
  }

  #stage(node: ChainNode): ChainStage {
    const isPassive = node.kind === 'source' || node.kind === 'sink' || node.kind === 'union';
    const steps = stepsOf(node);
    const lastStep = steps.at(-1) ?? '';
    return {
      operator: isPassive ? null : this.#materials.createOperator(node),
      stepId: lastStep,
      recordsIn: this.#counter(steps[0] ?? '', counterNames.recordsIn.name),
      recordsOut: this.#counter(lastStep, counterNames.recordsOut.name),
    };
  }

  #checkpoints(
    sourceNode: SourceNode | null,
    reader: SourceReader | null,
    sinkNode: SinkNode | null,
    writer: SinkWriter | null,
    chain: Chain,
  ): SubtaskCheckpoints | null {
    const { storage, ports } = this.#materials;
    if (storage === null) return null;
    return new SubtaskCheckpoints({
      subtaskIndex: this.#task.subtaskIndex,
      owner: this.#task.attemptId,
      storage,
      ports,
      restoredId: this.#restoredId,
      ahead: this.#ahead,
      source: sourceNode === null || reader === null ? null : { stepId: sourceNode.spec.stepId, reader },
      sink: sinkNode === null || writer === null ? null : { stepId: sinkNode.spec.stepId, writer },
      chain,
      timeout: this.#timeout,
      recovered: this.#recovered,
      files: new OperatorFiles(
        this.#task.restore?.operators ?? [],
        this.#restoredId,
        this.#materials.slice.maxParallelism,
      ),
    });
  }

  /** What gives the operators their state back, and what was on its way to them; null where there is none to give. */
  #restore(stages: readonly ChainStage[]): SubtaskParts['restore'] {
    const { storage, ports, slice, links } = this.#materials;
    const { operators = [], channels = [] } = this.#task.restore ?? {};
    if (storage === null || operators.length + channels.length === 0) return null;
    const stateOf = (step: string) => stages.find(({ stepId }) => stepId === step)?.operator?.state ?? null;
    const { subtaskIndex, vertex } = this.#task;
    const receiver = { subtaskIndex, parallelism: vertex.parallelism, maxParallelism: slice.maxParallelism };
    const { restoredLocalBytes, restoredRemoteBytes } = counterNames;
    const onRead = (step: string, bytes: number, isLocal: boolean): void => {
      this.#counter(step, (isLocal ? restoredLocalBytes : restoredRemoteBytes).name).value += bytes;
    };
    const from = { storage, macrotasks: ports.macrotasks, onRead, frameBytes: links.limits.frameBytes };
    return async (isCancelled) => {
      await restoreState(operators, stateOf, from, isCancelled);
      for await (const { route, frames } of restoreChannels(channels, receiver, from, isCancelled)) {
        this.#recovered.add({ route, frames, stage: this.#stageOf(route.stepId) });
      }
    };
  }

  /** Where rows enter the chain that are on their way to a step: the number of stages for its sink. */
  #stageOf(step: string): number {
    const nodes = this.#task.vertex.chain.filter(({ kind }) => kind !== 'source');
    const stage = nodes.findIndex((node) => stepsOf(node)[0] === step);
    if (stage < 0) throw taskErrors.create('MR-TASK-ROWS-UNCLAIMED', { step });
    return stage;
  }

  #createWriter(spec: SinkSpec): SinkWriter {
    const connector = this.#materials.catalog.sinks.get(spec.connector);
    if (connector === undefined) throw noConnector(spec);
    return connector.createWriter(spec);
  }

  #createReader(spec: SourceSpec): SourceReader {
    const connector = this.#materials.catalog.sources.get(spec.connector);
    if (connector === undefined) throw noConnector(spec);
    return connector.createReader(spec);
  }

  #tail(sinkNode: SinkNode | null, writer: SinkWriter | null): { readonly tail: ChainTail; close(): void } {
    if (sinkNode !== null && writer !== null) {
      const { stepId } = sinkNode.spec;
      const tail = new SinkTail({
        writer,
        stepId,
        recordsIn: this.#counter(stepId, counterNames.recordsIn.name),
        takesCheckpoints: this.#run !== null,
        restoredId: this.#restoredId,
        crashPoints: this.#materials.ports.crashPoints,
        aside: this.#aside(sinkNode),
      });
      return { tail, close: () => undefined };
    }
    const lastNode = this.#task.vertex.chain.at(-1);
    const stepId = (lastNode === undefined ? null : stepsOf(lastNode).at(-1)) ?? this.#task.vertex.name;
    const counter = (name: string): Counter => this.#counter(stepId, name);
    const writers = this.#task.outputs.map((output) => this.#materials.links.writer(this.#task, output, counter));
    return {
      tail: new ExchangeTail(
        writers,
        stepId,
        this.#task.outputs.map(({ edge }) => edge.side ?? null),
        this.#task.outputs.map((output) => this.#routeTo(output)),
      ),
      close: () => {
        for (const each of writers) each.close();
      },
    };
  }

  /** Rows that replace each other must not be written by another subtask than those before them. */
  #aside({ spec }: SinkNode): RowsAside | null {
    if (this.#alignmentTimeoutMs === null || spec.changelog !== 'append') return null;
    const { subtaskIndex, vertex } = this.#task;
    const self = { sender: subtaskIndex, receiver: subtaskIndex, receivers: vertex.parallelism };
    const route = { stepId: toStepId(spec.stepId), input: 0, keys: null, schema: spec.input, ...self };
    const { frameBytes, credits } = this.#materials.links.limits;
    return new RowsAside(route, frameBytes, frameBytes * credits);
  }

  /** The way of rows to the receivers of an edge. */
  #routeTo({ edge, reader, receivers }: TaskOutput): RouteTo {
    const keys = edge.exchange.kind === 'hash' ? edge.exchange.keys : null;
    const sender = this.#task.subtaskIndex;
    const routes = receivers.map((_, receiver): InFlightRoute => {
      return { ...reader, keys, sender, receiver, receivers: receivers.length, schema: edge.schema };
    });
    return (receiver) => routes[receiver] as InFlightRoute;
  }

  #head(
    sourceNode: SourceNode | null,
    reader: SourceReader | null,
    checkpoints: SubtaskCheckpoints | null,
  ): { readonly head: ChainHead; close(): void } {
    if (sourceNode !== null && reader !== null) return this.#sourceHead(sourceNode, reader, checkpoints);
    const firstNode = this.#task.vertex.chain[0];
    const stepId = (firstNode === undefined ? null : stepsOf(firstNode)[0]) ?? this.#task.vertex.name;
    const gate = this.#materials.links.gate(this.#task, toStepId(stepId), {
      clock: this.#materials.ports.clock,
      isAligning: this.#run?.settings.mode !== 'at-least-once',
      restoredWatermarkMs: this.#restoredWatermarkMs,
    });
    gate.onOvertaken = (checkpointId) => checkpoints?.overtaken(checkpointId);
    return {
      head: new GateHead(gate, stepId, checkpoints),
      close: () => {
        gate.close();
      },
    };
  }

  #sourceHead(
    { spec, watermark }: SourceNode,
    reader: SourceReader,
    barriers: SubtaskCheckpoints | null,
  ): { readonly head: SourceHead; close(): void } {
    const { ports, watermarkIntervalMs } = this.#materials;
    const head = new SourceHead({
      reader,
      stepId: spec.stepId,
      recordsOut: this.#counter(spec.stepId, counterNames.recordsOut.name),
      watermarks: watermark === null ? null : new SplitWatermarks(watermark, this.#restoredWatermarkMs),
      watermarkIntervalMs,
      clock: ports.clock,
      barriers,
    });
    return {
      head,
      close: () => {
        head.close();
      },
    };
  }

  #operatorPart(
    stage: ChainStage,
    nodes: readonly ChainNode[],
    index: number,
    chain: Chain,
    alarms: Alarms,
  ): SubtaskPart[] {
    const { operator, stepId } = stage;
    const output = chain.outputs[index];
    const node = nodes[index];
    if (operator === null || output === undefined || node === undefined) return [];
    // Sides are edges, so only the last operator of a chain has any.
    const sides = index < nodes.length - 1 ? [] : this.#task.outputs.flatMap(({ edge }) => edge.side ?? []);
    const spill = this.#materials.state.spillOf(node, stepId, this.#task.attemptId);
    const context: OperatorContext = {
      ...this.#context(stepsOf(node)[0] ?? stepId),
      ...(spill === null ? {} : { spill }),
      output,
      sideOutputs: new Map(sides.map((side) => [side, chain.sideOutput(side)])),
      errors: this.#errors,
      restoredWatermarkMs: this.#restoredWatermarkMs,
      ...(this.#ahead === null ? {} : { restoredAhead: this.#ahead }),
      setAlarm: (atMs) => {
        alarms.set(index, atMs);
      },
    };
    return [{ stepId, open: () => operator.open(context), close: () => operator.close() }];
  }

  #writerPart(node: SinkNode, writer: SinkWriter): SubtaskPart {
    const { stepId } = node.spec;
    const context = { ...this.#context(stepId), rack: this.#materials.rack, run: this.#run, errors: this.#errors };
    return { stepId, open: () => writer.open(context), close: () => writer.close() };
  }

  #readerPart(node: SourceNode, reader: SourceReader): SubtaskPart {
    const { stepId } = node.spec;
    const context = { ...this.#context(stepId), rack: this.#materials.rack, run: this.#run, errors: this.#errors };
    return { stepId, open: () => reader.open(context), close: () => reader.close() };
  }

  #context(stepId: string): TaskContext {
    const { slice, ports } = this.#materials;
    return {
      jobName: slice.jobName,
      stepId,
      subtaskIndex: this.#task.subtaskIndex,
      parallelism: this.#task.vertex.parallelism,
      maxParallelism: slice.maxParallelism,
      ports,
      counter: (name) => this.#counter(stepId, name),
    };
  }

  #counter(stepId: string, name: string): Counter {
    return this.#counters.counter(stepId, name);
  }
}

function noConnector({ stepId, connector }: SourceSpec | SinkSpec): Error {
  return taskErrors.create('MR-TASK-NO-CONNECTOR', { step: stepId, connector });
}

/** The steps that a node of a chain runs, in order. */
function stepsOf(node: ChainNode): readonly string[] {
  switch (node.kind) {
    case 'source':
    case 'sink':
      return [node.spec.stepId];
    case 'transform':
      return node.steps.map(({ stepId }) => stepId);
    case 'aggregate':
    case 'normalise':
    case 'window':
    case 'join':
    case 'dedupe':
    case 'top-n':
    case 'process':
    case 'lookup':
    case 'union':
      return [node.stepId];
  }
}
