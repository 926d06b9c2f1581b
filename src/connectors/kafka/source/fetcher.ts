/**
 * Fetches the assigned partitions, ahead of the reader. One loop per broker: the next request is sent as soon as an
 * answer has arrived, so that the broker works while records are decoded, but at most one unread answer lies beyond the
 * one that is being read. What fails is tried again, after a look at the metadata, until its time is up.
 */
import { isMillraceError, type Clock, type Ports, type Timer } from '../../../core/index.ts';
import {
  describeErrorCode,
  EARLIEST_TIMESTAMP,
  ErrorCode,
  isAuthorization,
  isTransient,
  LATEST_TIMESTAMP,
  type FetchedPartition,
  type FetchingClient,
  type FetchResponse,
  type Isolation,
} from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { summarizeRange } from '../record-batch/index.ts';
import type { FetchedRange, SharedResponse } from './fetched-range.ts';
import { brokerOf, isRead, type PartitionState } from './partition-state.ts';
import { ResponsePool } from './response-pool.ts';

export interface FetchConfig {
  readonly isolation: Isolation;
  /** Where replicas are to be read from; empty for leaders anywhere. */
  readonly rack: string;
  /** Where the reader is; null where that is not known. */
  readonly ownRack: string | null;
  readonly fetchBytes: number;
  readonly partitionBytes: number;
  readonly bufferBytes: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBatchBytes: number;
  readonly unavailableTimeoutMs: number;
  readonly reset: 'fail' | 'earliest' | 'latest';
}

interface BrokerLoop {
  readonly id: number;
  /** Answers with unread ranges. */
  unreadResponses: number;
  throttledUntilMs: number;
}

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;
const METADATA_MAX_AGE_MS = 300_000;
/** As long as it takes a leader to see that a follower is gone; it would name it again and again meanwhile. */
const FOLLOWER_RETRY_MS = 30_000;
/** One answer in use, one ahead. */
const MAX_UNREAD_RESPONSES = 2;

export class Fetcher {
  readonly #client: FetchingClient;
  readonly #config: FetchConfig;
  readonly #clock: Clock;
  readonly #pool: ResponsePool;
  /** By topic/partition. In the order of asking: those that answered last stand last. */
  readonly #partitions = new Map<string, PartitionState>();
  readonly #loops = new Map<number, BrokerLoop>();
  /** By broker; as far as they say where they are. */
  #racks: ReadonlyMap<number, string> = new Map();
  readonly #ready: FetchedRange[] = [];
  readonly #onProgress: () => void;
  #heldBytes = 0;
  #failure: Error | null = null;
  #isClosed = false;
  #sleepers: (() => void)[] = [];
  #timer: Timer | null = null;
  #timerAtMs = Infinity;
  #refreshing: Promise<void> | null = null;
  #refreshedMs = -Infinity;
  bytesReceived = 0;
  /** Those of brokers that are known to be in another rack. */
  crossRackBytes = 0;

  /** `onProgress` is called when there is something to read, a partition is done, or fetching has failed. */
  constructor(client: FetchingClient, config: FetchConfig, ports: Ports, onProgress: () => void) {
    this.#client = client;
    this.#config = config;
    this.#clock = ports.clock;
    this.#pool = new ResponsePool(config.bufferBytes);
    this.#onProgress = onProgress;
  }

  get partitions(): Iterable<PartitionState> {
    return this.#partitions.values();
  }

  get failure(): Error | null {
    return this.#failure;
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  get areAllRead(): boolean {
    for (const state of this.#partitions.values()) if (!isRead(state)) return false;
    return true;
  }

  /** Records that are known to be there and are not read yet. */
  get lag(): number {
    let lag = 0;
    for (const { highWatermark, endOffset, position } of this.#partitions.values()) {
      lag += Math.max(0, Math.min(highWatermark, endOffset) - position);
    }
    return lag;
  }

  add(states: readonly PartitionState[]): void {
    for (const state of states) this.#partitions.set(`${state.topic}/${state.partition}`, state);
    void this.#refresh();
  }

  /** The next records, in the order in which they arrived; null where none are at hand. */
  next(): FetchedRange | null {
    return this.#ready.shift() ?? null;
  }

  /** All records of the range are read, and nothing borrows its bytes any more. */
  release(fetched: FetchedRange): void {
    fetched.state.unreadRanges--;
    const { response } = fetched;
    response.unread--;
    if (response.unread > 0) return;
    this.#heldBytes -= response.data.length;
    this.#pool.give(response.data);
    const loop = this.#loops.get(response.brokerId);
    if (loop !== undefined) loop.unreadResponses--;
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#wake();
  }

  async #serve(loop: BrokerLoop): Promise<void> {
    while (!this.#isClosed && this.#failure === null) {
      const partitions = this.#askable(loop);
      if (partitions.length > 0) await this.#fetch(loop, partitions);
      else if (this.#isServed(loop)) await this.#sleep();
      else break;
    }
    this.#loops.delete(loop.id);
    // Its partitions may have gone to a broker that had no loop.
    if (this.#failure === null) this.#startLoops();
  }

  #isServed(loop: BrokerLoop): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (loop.unreadResponses > 0) return true;
    for (const state of this.#partitions.values()) {
      if (state.phase === 'fetching' && brokerOf(state, nowMs) === loop.id) return true;
    }
    return false;
  }

  /** The partitions to ask this broker for now; none where memory or its throttle forbid. */
  #askable(loop: BrokerLoop): PartitionState[] {
    const nowMs = this.#clock.monotonicMs();
    if (loop.unreadResponses >= MAX_UNREAD_RESPONSES) return [];
    if (this.#heldBytes > 0 && this.#heldBytes >= this.#config.bufferBytes) return [];
    if (loop.throttledUntilMs > nowMs) {
      this.#wakeAt(loop.throttledUntilMs);
      return [];
    }
    const partitions: PartitionState[] = [];
    for (const state of this.#partitions.values()) {
      if (state.replica === loop.id && nowMs >= state.replicaUntilMs) {
        state.replica = -1;
        if (state.leader >= 0) this.#ensureLoop(state.leader);
      }
      if (state.phase !== 'fetching' || state.isInFlight || brokerOf(state, nowMs) !== loop.id) continue;
      if (state.retryAtMs > nowMs) this.#wakeAt(state.retryAtMs);
      else partitions.push(state);
    }
    return partitions;
  }

  async #fetch(loop: BrokerLoop, partitions: readonly PartitionState[]): Promise<void> {
    for (const state of partitions) state.isInFlight = true;
    try {
      const response = await this.#client.fetch(loop.id, {
        partitions: partitions.map(({ topic, partition, fetchOffset }) => ({
          topic,
          partition,
          offset: fetchOffset,
          maxBytes: this.#config.partitionBytes,
        })),
        isolation: this.#config.isolation,
        maxWaitMs: this.#config.maxWaitMs,
        minBytes: this.#config.minBytes,
        maxBytes: this.#config.fetchBytes,
        rack: this.#rackFor(partitions),
        allocate: (sizeBytes) => this.#pool.take(sizeBytes),
      });
      for (const state of partitions) state.isInFlight = false;
      if (!this.#isClosed) this.#accept(loop, partitions, response);
    } catch (error) {
      for (const state of partitions) state.isInFlight = false;
      if (this.#isClosed) return;
      if (!isMillraceError(error) || error.retry === 'never') this.#fail(error);
      else for (const state of partitions) this.#retry(state, error.message);
    }
  }

  /** Without a rack a leader names no follower. */
  #rackFor(partitions: readonly PartitionState[]): string {
    const nowMs = this.#clock.monotonicMs();
    return partitions.some(({ leaderUntilMs }) => leaderUntilMs > nowMs) ? '' : this.#config.rack;
  }

  #isElsewhere(brokerId: number): boolean {
    const { ownRack } = this.#config;
    const rack = this.#racks.get(brokerId);
    return ownRack !== null && rack !== undefined && rack !== ownRack;
  }

  #accept(loop: BrokerLoop, asked: readonly PartitionState[], response: FetchResponse): void {
    this.bytesReceived += response.sizeBytes;
    if (this.#isElsewhere(loop.id)) this.crossRackBytes += response.sizeBytes;
    if (response.throttleMs > 0) loop.throttledUntilMs = this.#clock.monotonicMs() + response.throttleMs;
    if (response.errorCode !== ErrorCode.none) {
      for (const state of asked) this.#judge(state, response.errorCode);
      return;
    }
    const isEmpty = response.partitions.every(({ recordsStart, recordsEnd }) => recordsStart === recordsEnd);
    const shared: SharedResponse = { data: response.data, brokerId: loop.id, unread: 0 };
    for (const part of response.partitions) {
      const state = this.#partitions.get(`${part.topic}/${part.partition}`);
      if (state === undefined || !asked.includes(state)) continue;
      if (part.errorCode === ErrorCode.none) this.#take(loop, state, part, shared, isEmpty);
      else if (part.errorCode === ErrorCode.offsetOutOfRange) void this.#leaveRange(state);
      else this.#judge(state, part.errorCode);
    }
    if (shared.unread > 0) {
      loop.unreadResponses++;
      this.#heldBytes += shared.data.length;
    } else this.#pool.give(shared.data);
    this.#onProgress();
  }

  #take(
    loop: BrokerLoop,
    state: PartitionState,
    part: FetchedPartition,
    shared: SharedResponse,
    isEmpty: boolean,
  ): void {
    const nowMs = this.#clock.monotonicMs();
    state.attempts = 0;
    state.failingSinceMs = Infinity;
    state.highWatermark = Math.max(state.highWatermark, part.highWatermark);
    if (part.preferredReplica >= 0 && part.preferredReplica !== loop.id) {
      state.replica = part.preferredReplica;
      state.replicaUntilMs = nowMs + METADATA_MAX_AGE_MS;
      this.#ensureLoop(part.preferredReplica);
    }
    const { behind, isBroken } = summarizeRange(shared.data, part.recordsStart, part.recordsEnd);
    if (behind === null && !isBroken) {
      this.#checkEnd(state, part, isEmpty);
      return;
    }
    const { topic, partition, fetchOffset, endOffset } = state;
    if (behind !== null && behind <= fetchOffset && !isBroken) {
      const position = `topic ${topic}, partition ${partition}, offset ${fetchOffset}`;
      const reason = 'the broker answered with older records';
      this.#fail(kafkaErrors.create('MR-KAFKA-CORRUPT', { position, reason }));
      return;
    }
    this.#ready.push({
      state,
      response: shared,
      range: {
        topic,
        partition,
        data: shared.data,
        start: part.recordsStart,
        end: part.recordsEnd,
        fromOffset: fetchOffset,
        endOffset,
        aborted: this.#config.isolation === 'read_committed' ? part.abortedTransactions : null,
        maxBatchBytes: this.#config.maxBatchBytes,
      },
    });
    shared.unread++;
    state.unreadRanges++;
    state.isFromBeginning = false;
    state.fetchOffset = behind ?? fetchOffset;
    if (isBroken) state.phase = 'broken';
    else if (state.fetchOffset >= endOffset) state.phase = 'fetched';
    this.#moveToBack(state);
  }

  /**
   * Nothing came. If nothing came for any partition although the end is committed, then nothing is there any more: the
   * first partition with a batch always gets one (KIP-74). The last records may have been compacted away.
   */
  #checkEnd(state: PartitionState, part: FetchedPartition, isEmpty: boolean): void {
    const visibleEnd = this.#config.isolation === 'read_committed' ? part.lastStableOffset : part.highWatermark;
    if (isEmpty && part.preferredReplica < 0 && visibleEnd >= state.endOffset) {
      state.fetchOffset = state.endOffset;
      state.phase = 'fetched';
      if (state.unreadRanges === 0) state.position = state.endOffset;
    }
  }

  /** A broker fills its answer from the front: whoever got something asks last the next time. */
  #moveToBack(state: PartitionState): void {
    const key = `${state.topic}/${state.partition}`;
    this.#partitions.delete(key);
    this.#partitions.set(key, state);
  }

  #judge(state: PartitionState, code: number): void {
    const { name, reason } = describeErrorCode(code);
    const { topic, partition, fetchOffset } = state;
    if (isTransient(code)) this.#retry(state, name);
    else if (isAuthorization(code)) {
      const fields = { operation: 'read', resource: `topic ${topic}`, reason };
      this.#fail(kafkaErrors.create('MR-KAFKA-NOT-AUTHORIZED', fields));
    } else if (code === ErrorCode.corruptMessage) {
      const position = `topic ${topic}, partition ${partition}, offset ${fetchOffset}`;
      this.#fail(kafkaErrors.create('MR-KAFKA-CORRUPT', { position, reason: 'the broker says so itself' }));
    } else {
      const resource = `topic ${topic}, partition ${partition}`;
      this.#fail(kafkaErrors.create('MR-KAFKA-REFUSED', { operation: 'read', resource, reason, error: name }));
    }
  }

  #retry(state: PartitionState, reason: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (state.replica >= 0) state.leaderUntilMs = nowMs + FOLLOWER_RETRY_MS;
    state.replica = -1;
    state.lastReason = reason;
    state.failingSinceMs = Math.min(state.failingSinceMs, nowMs);
    state.retryAtMs = nowMs + Math.min(FIRST_RETRY_MS * 2 ** Math.min(state.attempts, 10), MAX_RETRY_MS);
    state.attempts++;
    this.#expire(state, nowMs);
    this.#wakeAt(state.retryAtMs);
    void this.#refresh();
  }

  #expire(state: PartitionState, nowMs: number): void {
    const { unavailableTimeoutMs } = this.#config;
    if (nowMs - state.failingSinceMs < unavailableTimeoutMs) return;
    const resource = `topic ${state.topic}, partition ${state.partition}`;
    const fields = { operation: 'read', resource, seconds: unavailableTimeoutMs / 1000, reason: state.lastReason };
    this.#fail(kafkaErrors.create('MR-KAFKA-UNAVAILABLE', fields));
  }

  /** The log does not hold the offset that was asked for. */
  async #leaveRange(state: PartitionState): Promise<void> {
    if (state.replica >= 0) {
      // A follower may lag behind; the leader decides.
      this.#retry(state, 'OFFSET_OUT_OF_RANGE');
      return;
    }
    const { topic, partition, fetchOffset } = state;
    const reset = state.isFromBeginning ? 'earliest' : this.#config.reset;
    state.isInFlight = true;
    try {
      const [earliest, latest] = await Promise.all([
        this.#offsetAt(state, EARLIEST_TIMESTAMP),
        this.#offsetAt(state, LATEST_TIMESTAMP),
      ]);
      if (reset === 'fail') {
        const fields = { topic, partition, offset: fetchOffset, earliest, latest };
        this.#fail(kafkaErrors.create('MR-KAFKA-OFFSET-OUT-OF-RANGE', fields));
        return;
      }
      state.fetchOffset = reset === 'earliest' ? earliest : latest;
      if (state.unreadRanges === 0) state.position = state.fetchOffset;
      if (state.fetchOffset >= state.endOffset) state.phase = 'fetched';
    } catch (error) {
      if (!isMillraceError(error) || error.retry === 'never') this.#fail(error);
      else this.#retry(state, error.message);
    } finally {
      state.isInFlight = false;
      this.#wake();
      this.#onProgress();
    }
  }

  async #offsetAt({ topic, partition }: PartitionState, timestamp: number): Promise<number> {
    const found = await this.#client.listOffsets([{ topic, partition, timestamp }], this.#config.isolation);
    return found[0]?.offset ?? 0;
  }

  /** Looks for leaders; one at a time. */
  #refresh(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#refreshing ??= this.#refreshNow().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refreshNow(): Promise<void> {
    const names = new Set([...this.#partitions.values()].map(({ topic }) => topic));
    try {
      const { topics, brokers } = await this.#client.metadata([...names]);
      this.#refreshedMs = this.#clock.monotonicMs();
      this.#racks = new Map([...brokers].flatMap(([id, { rack }]) => (rack === null ? [] : [[id, rack] as const])));
      for (const state of this.#partitions.values()) {
        state.leader = topics.get(state.topic)?.partitions[state.partition]?.leader ?? -1;
        if (!brokers.has(state.replica)) state.replica = -1;
      }
    } catch (error) {
      if (this.#isClosed) return;
      if (!isMillraceError(error) || error.retry === 'never') {
        this.#fail(error);
        return;
      }
      for (const state of this.#partitions.values()) state.lastReason = error.message;
    }
    this.#startLoops();
    this.#wake();
  }

  #startLoops(): void {
    if (this.#isClosed) return;
    const nowMs = this.#clock.monotonicMs();
    for (const state of this.#partitions.values()) {
      if (state.phase !== 'fetching') continue;
      const broker = brokerOf(state, nowMs);
      if (broker >= 0) this.#ensureLoop(broker);
      else {
        state.failingSinceMs = Math.min(state.failingSinceMs, nowMs);
        this.#expire(state, nowMs);
        this.#wakeAt(nowMs + FIRST_RETRY_MS * 4);
      }
    }
  }

  #ensureLoop(id: number): void {
    if (this.#loops.has(id) || this.#isClosed) return;
    const loop: BrokerLoop = { id, unreadResponses: 0, throttledUntilMs: 0 };
    this.#loops.set(id, loop);
    void this.#serve(loop);
  }

  #needsLeader(nowMs: number): boolean {
    for (const state of this.#partitions.values()) {
      if (state.phase === 'fetching' && brokerOf(state, nowMs) < 0) return true;
    }
    return false;
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#wake();
    this.#onProgress();
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => this.#sleepers.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#sleepers.splice(0)) resolve();
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#timerAtMs || this.#isClosed) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.schedule(Math.max(1, atMs - this.#clock.monotonicMs()), () => {
      this.#timerAtMs = Infinity;
      const nowMs = this.#clock.monotonicMs();
      if (this.#needsLeader(nowMs) || nowMs - this.#refreshedMs > METADATA_MAX_AGE_MS) void this.#refresh();
      this.#startLoops();
      this.#wake();
    });
  }
}
