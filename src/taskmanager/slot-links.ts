import type { JobEdge } from '../graph/index.ts';
import { counterNames } from '../core/index.ts';
import type { AttemptId, Counter, SlotId, StepId } from '../core/index.ts';
import type { SliceDescriptor, SlotLocation, TaskDescriptor, TaskInput, TaskOutput } from '../rpc/index.ts';
import type { ChannelLimits, OutputChannel } from './exchange/channel.ts';
import { DataLink } from './exchange/data-link.ts';
import { ForwardWriter, SpreadingWriter } from './exchange/edge-writer.ts';
import type { EdgeWriter } from './exchange/edge-writer.ts';
import { ForwardChannel } from './exchange/forward-channel.ts';
import type { GateChannel, GateOptions } from './exchange/input-gate.ts';
import { InputGate } from './exchange/input-gate.ts';
import type { LinkPort } from './exchange/link-port.ts';
import { LocalChannel } from './exchange/local-channel.ts';
import { createPartitioner } from './exchange/partitioner.ts';
import { RemoteInput, RemoteOutput } from './exchange/remote-channel.ts';
import { frameBytesFor } from './runtime-limits.ts';

/** The channels of one slot: those inside it, and the links to the other slots of the job. */
export class SlotLinks {
  readonly #slotId: SlotId;
  readonly #rack: string | null;
  readonly #maxParallelism: number;
  readonly limits: ChannelLimits;
  readonly #links = new Map<SlotId, DataLink>();
  /** Channels within the slot, by number: whoever comes first makes both ends. */
  readonly #local = new Map<number, LocalChannel>();
  readonly #forward = new Map<number, ForwardChannel>();

  readonly #onLost: (attempt: AttemptId, error: Error) => void;

  /** `onLost` is called for every task that misses a link that has broken. */
  constructor(
    slice: SliceDescriptor,
    memoryBytes: number,
    credits: number,
    onLost: (attempt: AttemptId, error: Error) => void,
  ) {
    this.#onLost = onLost;
    this.#slotId = slice.slot.slotId;
    this.#rack = slice.slot.rack;
    this.#maxParallelism = slice.maxParallelism;
    const channelCount = slice.tasks.reduce((sum, task) => sum + channelsOf(task), 0);
    this.limits = { credits, frameBytes: frameBytesFor(memoryBytes, channelCount, credits) };
  }

  connect(peer: SlotId, port: LinkPort): void {
    this.#link(peer).connect(port);
  }

  /** There will be no connection with this slot. */
  lost(peer: SlotId, error: Error): void {
    this.#link(peer).lost(error);
  }

  /** The receiving end of a subtask that no source feeds; `stepId` is its first step. */
  gate(task: TaskDescriptor, stepId: StepId, options: GateOptions): InputGate {
    const gate = new InputGate(task.inputs.flatMap((_, input) => this.#inputs(task, input, stepId)), options);
    for (const { edge, firstChannel } of task.inputs) {
      if (edge.exchange.kind !== 'forward') continue;
      this.#forwardChannel(firstChannel + task.subtaskIndex).onHurry = (id) => gate.onHurry(id);
    }
    return gate;
  }

  /** The sending end of one edge of a subtask; `counter` gives those of the step that writes. */
  writer(task: TaskDescriptor, output: TaskOutput, counter: (name: string) => Counter): EdgeWriter {
    const { edge, firstChannel, receivers } = output;
    const sender = task.subtaskIndex;
    if (edge.exchange.kind === 'forward') return new ForwardWriter(this.#forwardChannel(firstChannel + sender));
    const channels = receivers.map((receiver, index): OutputChannel => {
      const channel = firstChannel + sender * receivers.length + index;
      return receiver.slotId === this.#slotId
        ? this.#localChannel(channel, edge)
        : this.#remoteOutput(task, channel, edge, receiver, counter);
    });
    const partitioner = createPartitioner(edge.exchange, receivers.length, this.#maxParallelism, sender);
    return new SpreadingWriter(channels, partitioner, canOvertake(edge));
  }

  #remoteOutput(
    task: TaskDescriptor,
    channel: number,
    edge: JobEdge,
    { slotId, rack }: SlotLocation,
    counter: (name: string) => Counter,
  ): RemoteOutput {
    const isElsewhere = rack !== null && this.#rack !== null && rack !== this.#rack;
    const sent = isElsewhere ? counter(counterNames.crossRackBytesOut.name) : undefined;
    return new RemoteOutput(this.#link(slotId), channel, edge.schema, this.limits, this.#lossOf(task), sent);
  }

  /** What was sent still arrives, where it is taken soon. */
  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #lossOf({ attemptId }: TaskDescriptor): (error: Error) => void {
    return (error) => this.#onLost(attemptId, error);
  }

  #inputs(task: TaskDescriptor, input: number, stepId: StepId): GateChannel[] {
    const { subtaskIndex: receiver, vertex } = task;
    const { edge, firstChannel, senders } = task.inputs[input] as TaskInput;
    const { exchange, schema } = edge;
    if (exchange.kind === 'forward') {
      return [{ channel: this.#forwardChannel(firstChannel + receiver), input, overtakable: null }];
    }
    const receivers = vertex.parallelism;
    const keys = exchange.kind === 'hash' ? exchange.keys : null;
    return senders.map(({ slotId }, sender): GateChannel => {
      const number = firstChannel + sender * receivers + receiver;
      const isLocal = slotId === this.#slotId;
      const channel = isLocal
        ? this.#localChannel(number, edge)
        : new RemoteInput(this.#link(slotId), number, schema, this.#lossOf(task));
      if (!canOvertake(edge)) return { channel, input, overtakable: null };
      const route = { stepId, input, keys, sender, receiver, receivers, schema };
      return { channel, input, overtakable: { channel, route } };
    });
  }

  #link(peer: SlotId): DataLink {
    let link = this.#links.get(peer);
    if (link === undefined) {
      link = new DataLink();
      this.#links.set(peer, link);
    }
    return link;
  }

  #localChannel(channel: number, edge: JobEdge): LocalChannel {
    let local = this.#local.get(channel);
    if (local === undefined) {
      local = new LocalChannel(edge.schema, this.limits);
      this.#local.set(channel, local);
    }
    return local;
  }

  #forwardChannel(channel: number): ForwardChannel {
    let forward = this.#forward.get(channel);
    if (forward === undefined) {
      forward = new ForwardChannel(this.limits.credits);
      this.#forward.set(channel, forward);
    }
    return forward;
  }
}

/** Whether a barrier may overtake rows: only where it is clear who takes them when the job is rescaled. */
function canOvertake({ exchange }: JobEdge): boolean {
  return exchange.kind === 'hash' || exchange.kind === 'rebalance';
}

/** The other slots that a slice exchanges data with: its main thread connects those of the same TaskManager. */
export function peersOf(slice: SliceDescriptor): readonly SlotLocation[] {
  const peers = new Map<SlotId, SlotLocation>();
  for (const task of slice.tasks) {
    const inputs = task.inputs.filter(({ edge }) => edge.exchange.kind !== 'forward');
    const outputs = task.outputs.filter(({ edge }) => edge.exchange.kind !== 'forward');
    for (const { senders } of inputs) for (const sender of senders) peers.set(sender.slotId, sender);
    for (const { receivers } of outputs) for (const receiver of receivers) peers.set(receiver.slotId, receiver);
  }
  peers.delete(slice.slot.slotId);
  return [...peers.values()];
}

function channelsOf(task: TaskDescriptor): number {
  const incoming = task.inputs.reduce((sum, { senders }) => sum + senders.length, 0);
  const outgoing = task.outputs.reduce((sum, { receivers }) => sum + receivers.length, 0);
  return incoming + outgoing;
}
