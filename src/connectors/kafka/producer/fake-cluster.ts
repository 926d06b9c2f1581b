/**
 * A cluster for tests of the producer: one broker's log per partition, with Kafka's rules for idempotent producers
 * (ProducerAppendInfo.java, ProducerStateEntry.java), and faults as a script says.
 */
import type {
  ClusterMetadata,
  ProducedPartition,
  ProducePartition,
  ProduceResponse,
  ProducerIdentity,
  ProducingClient,
} from '../client/index.ts';
import { ErrorCode } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { range, readAll } from '../record-batch/batch-fixtures.ts';
import { Batch } from '../record-batch/index.ts';

/** What becomes of the next request. */
export type Fault =
  | 'none'
  /** Written, but the answer is lost with the connection. */
  | 'lost-answer'
  /** Not written, and the connection breaks. */
  | 'lost-request'
  /** Refused with this code. */
  | number;

interface WrittenBatch {
  readonly producerId: bigint;
  readonly epoch: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

const REMEMBERED_BATCHES = 5;

export class FakeCluster implements ProducingClient {
  /** The values of each partition, in order. */
  readonly logs: string[][];
  readonly keys: (string | null)[][];
  /** Requests in the order of arrival: partition and first sequence of each batch. */
  readonly arrivals: string[] = [];
  leader = 1;
  isLeaderKnown = true;
  maxInFlight = 0;
  #inFlight = 0;
  #nextProducerId = 1000n;
  #connectionBroken = Promise.resolve();
  readonly #states: WrittenBatch[][];
  readonly #nextFault: () => Fault;
  readonly #delay: () => Promise<void>;

  constructor(partitions: number, nextFault: () => Fault, delay: () => Promise<void>) {
    this.logs = Array.from({ length: partitions }, () => []);
    this.keys = Array.from({ length: partitions }, () => []);
    this.#states = Array.from({ length: partitions }, () => []);
    this.#nextFault = nextFault;
    this.#delay = delay;
  }

  /** As when retention has deleted everything that the producer wrote. */
  forgetProducers(): void {
    for (const state of this.#states) state.length = 0;
  }

  initProducerId = (): Promise<ProducerIdentity> =>
    Promise.resolve({ producerId: this.#nextProducerId++, epoch: 0 });

  metadata = (topics: readonly string[] | null): Promise<ClusterMetadata> => {
    const leader = this.isLeaderKnown ? this.leader : -1;
    const partitions = this.logs.map((_, partition) => ({ partition, leader, replicas: [1], inSyncReplicas: [1] }));
    return Promise.resolve({
      brokers: new Map([[this.leader, { id: this.leader, host: 'fake', port: 1, rack: null }]]),
      topics: new Map((topics ?? []).map((name) => [name, { name, errorCode: 0, isInternal: false, partitions }])),
    });
  };

  async produce(_broker: number, partitions: readonly ProducePartition[]): Promise<ProduceResponse> {
    this.#inFlight++;
    this.maxInFlight = Math.max(this.maxInFlight, this.#inFlight);
    const before = this.#connectionBroken;
    const fault = this.#nextFault();
    // Bytes are judged as they are when they arrive: a retry that changes them in between is seen.
    const results = partitions.map((part) => this.#arrive(part, fault));
    let lose = (): void => undefined;
    if (fault === 'lost-answer' || fault === 'lost-request') {
      this.#connectionBroken = new Promise((resolve) => {
        lose = resolve;
      });
    }
    await before;
    await this.#delay();
    this.#inFlight--;
    lose();
    if (fault === 'lost-answer' || fault === 'lost-request') {
      throw kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers: 'fake:1', reason: fault });
    }
    return { throttleMs: 0, partitions: results };
  }

  #arrive({ topic, partition, batch }: ProducePartition, fault: Fault): ProducedPartition {
    const bytes = Buffer.from(batch);
    const firstSequence = bytes.readInt32BE(Batch.baseSequence);
    this.arrivals.push(`${partition}:${firstSequence}`);
    const answer = (errorCode: number): ProducedPartition => ({
      topic,
      partition,
      errorCode,
      baseOffset: this.logs[partition]?.length ?? 0,
      logStartOffset: 0,
    });
    if (fault === 'lost-request') return answer(ErrorCode.none);
    if (typeof fault === 'number') return answer(fault);
    const written: WrittenBatch = {
      producerId: bytes.readBigInt64BE(Batch.producerId),
      epoch: bytes.readInt16BE(Batch.producerEpoch),
      firstSequence,
      lastSequence: firstSequence + bytes.readInt32BE(Batch.lastOffsetDelta),
    };
    const code = this.#judge(this.#states[partition] ?? [], written);
    if (code === ErrorCode.duplicateSequence) return answer(ErrorCode.none);
    if (code !== ErrorCode.none) return answer(code);
    const { records } = readAll(range(bytes));
    this.logs[partition]?.push(...records.map(({ value }) => String(value)));
    this.keys[partition]?.push(...records.map(({ key }) => (key === null ? null : String(key))));
    return answer(ErrorCode.none);
  }

  #judge(state: WrittenBatch[], written: WrittenBatch): number {
    const last = state.filter(({ producerId }) => producerId === written.producerId).at(-1);
    const isKnown = state.some(
      (each) =>
        each.producerId === written.producerId &&
        each.epoch === written.epoch &&
        each.firstSequence === written.firstSequence &&
        each.lastSequence === written.lastSequence,
    );
    if (isKnown) return ErrorCode.duplicateSequence;
    if (last !== undefined && written.epoch < last.epoch) return ErrorCode.invalidProducerEpoch;
    const expected = last === undefined || written.epoch > last.epoch ? 0 : last.lastSequence + 1;
    if (last === undefined && written.firstSequence !== 0) return ErrorCode.unknownProducerId;
    if (written.firstSequence !== expected) return ErrorCode.outOfOrderSequence;
    state.push(written);
    if (state.length > REMEMBERED_BATCHES) state.shift();
    return ErrorCode.none;
  }
}
