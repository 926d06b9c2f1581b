import { counterNames } from '../core/index.ts';
import type {
  ConnectorCatalog,
  Counter,
  Operator,
  Ports,
  SinkSpec,
  SinkWriter,
  SourceReader,
  SourceSpec,
  TaskContext,
} from '../core/index.ts';
import type { ChainNode, SinkNode, SourceNode } from '../graph/index.ts';
import type { SliceDescriptor, TaskDescriptor } from '../rpc/index.ts';
import { Chain } from './chain.ts';
import type { ChainStage, ChainTail } from './chain.ts';
import { GateHead, SourceHead } from './chain-head.ts';
import type { ChainHead } from './chain-head.ts';
import { ExchangeTail, SinkTail } from './chain-tail.ts';
import { taskErrors } from './errors.ts';
import { PolicyErrorHandler } from './record-errors.ts';
import type { OperatorFactory } from './slot-entry.ts';
import type { SlotLinks } from './slot-links.ts';
import type { SubtaskPart, SubtaskParts } from './subtask.ts';
import { TaskCounters } from './task-counters.ts';

export interface SubtaskMaterials {
  readonly slice: SliceDescriptor;
  readonly links: SlotLinks;
  readonly rack: string | null;
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly createOperator: OperatorFactory;
}

export interface BuiltSubtask {
  readonly parts: SubtaskParts;
  /** The source's reader and step, where the chain starts with one. */
  readonly source: { readonly stepId: string; readonly reader: SourceReader } | null;
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

  constructor(task: TaskDescriptor, materials: SubtaskMaterials) {
    this.#task = task;
    this.#materials = materials;
    this.#errors = new PolicyErrorHandler(task.errors, this.#counters);
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
    const chain = new Chain(stages, tail.tail);
    const head = this.#head(sourceNode, reader);
    const operatorParts = stages.flatMap((stage, index) => this.#operatorPart(stage, inner, index, chain));
    return {
      parts: {
        attemptId: this.#task.attemptId,
        subtaskIndex: this.#task.subtaskIndex,
        counters: this.#counters,
        chain,
        head: head.head,
        parts: [
          ...(sinkNode === null || writer === null ? [] : [this.#writerPart(sinkNode, writer)]),
          ...operatorParts.reverse(),
          ...(sourceNode === null || reader === null ? [] : [this.#readerPart(sourceNode, reader)]),
        ],
        disconnect: () => {
          tail.close();
          head.close();
        },
      },
      source: sourceNode === null || reader === null ? null : { stepId: sourceNode.spec.stepId, reader },
      sink: tail.tail instanceof SinkTail ? tail.tail : null,
    };
  }

  #stage(node: ChainNode): ChainStage {
    const operator = node.kind === 'transform' || node.kind === 'aggregate' ? this.#createOperator(node) : null;
    const steps = stepsOf(node);
    const lastStep = steps.at(-1) ?? '';
    return {
      operator,
      stepId: lastStep,
      recordsIn: this.#counter(steps[0] ?? '', counterNames.recordsIn.name),
      recordsOut: this.#counter(lastStep, counterNames.recordsOut.name),
    };
  }

  #createOperator(node: Extract<ChainNode, { kind: 'transform' | 'aggregate' }>): Operator {
    return this.#materials.createOperator(node);
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
      const tail = new SinkTail(writer, stepId, this.#counter(stepId, counterNames.recordsIn.name));
      return { tail, close: () => undefined };
    }
    const lastNode = this.#task.vertex.chain.at(-1);
    const stepId = (lastNode === undefined ? null : stepsOf(lastNode).at(-1)) ?? this.#task.vertex.name;
    const writers = this.#task.outputs.map((output) => this.#materials.links.writer(this.#task, output));
    return {
      tail: new ExchangeTail(writers, stepId),
      close: () => {
        for (const each of writers) each.close();
      },
    };
  }

  #head(sourceNode: SourceNode | null, reader: SourceReader | null): { readonly head: ChainHead; close(): void } {
    if (sourceNode !== null && reader !== null) {
      const { stepId } = sourceNode.spec;
      const recordsOut = this.#counter(stepId, counterNames.recordsOut.name);
      return { head: new SourceHead(reader, stepId, recordsOut), close: () => undefined };
    }
    const gate = this.#materials.links.gate(this.#task);
    const firstNode = this.#task.vertex.chain[0];
    const stepId = (firstNode === undefined ? null : stepsOf(firstNode)[0]) ?? this.#task.vertex.name;
    return {
      head: new GateHead(gate, stepId),
      close: () => {
        gate.close();
      },
    };
  }

  #operatorPart(stage: ChainStage, nodes: readonly ChainNode[], index: number, chain: Chain): SubtaskPart[] {
    const { operator, stepId } = stage;
    const output = chain.outputs[index];
    const node = nodes[index];
    if (operator === null || output === undefined || node === undefined) return [];
    const context = { ...this.#context(stepsOf(node)[0] ?? stepId), output, errors: this.#errors };
    return [{ stepId, open: () => operator.open(context), close: () => operator.close() }];
  }

  #writerPart(node: SinkNode, writer: SinkWriter): SubtaskPart {
    const { stepId } = node.spec;
    const context = { ...this.#context(stepId), rack: this.#materials.rack, errors: this.#errors };
    return { stepId, open: () => writer.open(context), close: () => writer.close() };
  }

  #readerPart(node: SourceNode, reader: SourceReader): SubtaskPart {
    const { stepId } = node.spec;
    const context = { ...this.#context(stepId), rack: this.#materials.rack, errors: this.#errors };
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
    case 'union':
      return [node.stepId];
  }
}
