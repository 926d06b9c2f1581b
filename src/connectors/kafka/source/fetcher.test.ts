import { describe, expect, it } from '@jest/globals';
import { nodePorts } from '../../../core/node-ports.ts';
import {
  ErrorCode,
  LATEST_TIMESTAMP,
  type ClusterMetadata,
  type FetchedPartition,
  type FetchingClient,
  type FetchRequest,
  type FetchResponse,
  type FoundOffset,
  type OffsetQuery,
} from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { buildBatch, record } from '../record-batch/batch-fixtures.ts';
import { Fetcher, type FetchConfig } from './fetcher.ts';
import { createPartitionState, type PartitionState } from './partition-state.ts';

const config: FetchConfig = {
  isolation: 'read_committed',
  rack: '',
  ownRack: null,
  fetchBytes: 1 << 20,
  partitionBytes: 1 << 20,
  bufferBytes: 1 << 24,
  maxWaitMs: 10,
  minBytes: 1,
  maxBatchBytes: 1 << 20,
  unavailableTimeoutMs: 10_000,
  reset: 'fail',
};

interface Part {
  readonly partition?: number;
  readonly records?: Buffer;
  readonly errorCode?: number;
  readonly highWatermark?: number;
  readonly preferredReplica?: number;
}

interface Asked {
  readonly broker: number;
  readonly partitions: readonly number[];
  readonly offsets: readonly number[];
  readonly rack: string;
}

/** What a broker answers to its next requests, then nothing for ever. */
type Script = (broker: number, request: FetchRequest, call: number) => readonly Part[] | Error | null;

/** A client for tests: partitions of topic `t`, and answers as a script says. */
class ScriptedClient implements FetchingClient {
  leader = 1;
  readonly asked: Asked[] = [];
  readonly #script: Script;
  readonly #count: number;

  constructor(count: number, script: Script) {
    this.#count = count;
    this.#script = script;
  }

  metadata = (): Promise<ClusterMetadata> => {
    const ids = [1, 2, 3];
    const partitions = Array.from({ length: this.#count }, (_, partition) => {
      return { partition, leader: this.leader, replicas: ids, inSyncReplicas: ids };
    });
    return Promise.resolve({
      brokers: new Map(ids.map((id) => [id, { id, host: `b${id}`, port: 1, rack: `r${id}` }])),
      topics: new Map([['t', { name: 't', errorCode: 0, isInternal: false, partitions }]]),
    });
  };

  listOffsets = (queries: readonly OffsetQuery[]): Promise<readonly FoundOffset[]> =>
    Promise.resolve(queries.map((query) => ({ ...query, offset: query.timestamp === LATEST_TIMESTAMP ? 90 : 40 })));

  async fetch(broker: number, request: FetchRequest): Promise<FetchResponse> {
    const call = this.asked.length;
    this.asked.push({
      broker,
      partitions: request.partitions.map(({ partition }) => partition),
      offsets: request.partitions.map(({ offset }) => offset),
      rack: request.rack,
    });
    await nodePorts.macrotasks.yield();
    const answer = this.#script(broker, request, call);
    if (answer instanceof Error) throw answer;
    if (answer === null) return new Promise(() => undefined);
    const data = Buffer.concat(answer.map(({ records }) => records ?? Buffer.alloc(0)));
    const memory = request.allocate(data.length);
    memory.set(data);
    let at = 0;
    const partitions = answer.map((part): FetchedPartition => {
      const { partition = 0, records, errorCode = 0, highWatermark = 100, preferredReplica = -1 } = part;
      const start = at;
      at += records?.length ?? 0;
      return {
        topic: 't',
        partition,
        errorCode,
        highWatermark,
        lastStableOffset: highWatermark,
        logStartOffset: 0,
        abortedTransactions: [],
        preferredReplica,
        recordsStart: start,
        recordsEnd: at,
      };
    });
    return { data: memory, sizeBytes: data.length, throttleMs: 0, errorCode: 0, partitions };
  }
}

const batchAt = (baseOffset: number, count = 1): Buffer =>
  buildBatch(Array.from({ length: count }, (_, i) => record(`${baseOffset + i}`)), { baseOffset });

const lost = () => kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers: 'b1:1', reason: 'gone' });

interface Position {
  readonly offset?: number;
  readonly endOffset?: number | null;
  readonly isFromBeginning?: boolean;
}

interface Running {
  readonly fetcher: Fetcher;
  readonly client: ScriptedClient;
  readonly states: readonly PartitionState[];
  /** Waits until the condition holds. */
  until(what: string, condition: () => boolean): Promise<void>;
}

async function withFetcher(
  script: Script,
  positions: readonly Position[],
  work: (running: Running) => Promise<void>,
  more: Partial<FetchConfig> & { readonly leader?: number } = {},
): Promise<void> {
  const client = new ScriptedClient(positions.length, script);
  client.leader = more.leader ?? 1;
  const fetcher = new Fetcher(client, { ...config, ...more }, nodePorts, () => undefined);
  const states = positions.map(({ offset = 0, endOffset = null, isFromBeginning = false }, partition) =>
    createPartitionState({ topic: 't', partition, offset, endOffset, isFromBeginning }),
  );
  fetcher.add(states);
  try {
    await work({
      fetcher,
      client,
      states,
      async until(what, condition) {
        const deadlineMs = performance.now() + 10_000;
        while (!condition()) {
          if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
          await nodePorts.macrotasks.yield();
        }
      },
    });
  } finally {
    fetcher.close();
  }
}

describe('the fetcher', () => {
  it('fetches ahead, but no more than one answer beyond the one in use', async () => {
    const script: Script = (_broker, request) => [{ records: batchAt(request.partitions[0]?.offset ?? 0, 10) }];
    await withFetcher(script, [{}], async ({ fetcher, client, until }) => {
      await until('two answers', () => client.asked.length === 2);
      for (let i = 0; i < 20; i++) await nodePorts.macrotasks.yield();
      expect(client.asked.map(({ offsets }) => offsets[0])).toEqual([0, 10]);
      const first = fetcher.next();
      expect(first?.range.fromOffset).toBe(0);
      if (first !== null) fetcher.release(first);
      await until('the next request', () => client.asked.length === 3);
      expect(client.asked[2]?.offsets).toEqual([20]);
    });
  });

  it('follows the leader', async () => {
    const script: Script = (broker, _request, call) => {
      if (call === 0) return [{ errorCode: ErrorCode.notLeaderOrFollower }];
      return broker === 2 ? [{ records: batchAt(0) }] : null;
    };
    await withFetcher(script, [{}], async ({ fetcher, client, until }) => {
      await until('the first request', () => client.asked.length === 1);
      client.leader = 2;
      await until('records', () => fetcher.hasReady);
      expect(client.asked[1]?.broker).toBe(2);
    });
  });

  it('waits for a leader where there is none', async () => {
    const script: Script = (_broker, _request, call) => (call === 0 ? [{ records: batchAt(0) }] : null);
    await withFetcher(
      script,
      [{}],
      async ({ fetcher, client, until }) => {
        await nodePorts.clock.sleep(50);
        expect(fetcher.failure).toBeNull();
        expect(client.asked).toEqual([]);
        client.leader = 3;
        await until('records', () => fetcher.hasReady);
        expect(client.asked[0]?.broker).toBe(3);
      },
      { leader: -1 },
    );
  });

  it('fails in time where nothing helps, and says what was wrong', async () => {
    await withFetcher(
      () => lost(),
      [{}],
      async ({ fetcher, client, until }) => {
        await until('the failure', () => fetcher.failure !== null);
        expect(fetcher.failure).toMatchObject({ code: 'MR-KAFKA-UNAVAILABLE' });
        expect(fetcher.failure?.message).toContain('read topic t, partition 0 for 0.2 s: no Kafka broker of b1:1');
        expect(client.asked.length).toBeGreaterThan(1);
        expect(client.asked.length).toBeLessThan(10);
      },
      { unavailableTimeoutMs: 200 },
    );
  });

  it('goes to the replica that the leader names, and back where that one lags', async () => {
    const script: Script = (broker, _request, call) => {
      if (call === 0) return [{ preferredReplica: 3 }];
      if (broker === 3) return [{ errorCode: ErrorCode.offsetOutOfRange }];
      return call === 2 ? [{ records: batchAt(50) }] : null;
    };
    await withFetcher(script, [{ offset: 50 }], async ({ fetcher, client, until }) => {
      await until('records', () => fetcher.hasReady);
      expect(client.asked.slice(0, 3).map(({ broker }) => broker)).toEqual([1, 3, 1]);
    });
  });

  it('reads from the leader while the replica that it names cannot be reached', async () => {
    // As Kafka does: to whoever says where it is, a leader gives nothing but the name of the follower there.
    const script: Script = (broker, { rack }, call) => {
      if (broker === 3) return lost();
      if (rack !== '') return [{ preferredReplica: 3 }];
      return call < 5 ? [{ records: batchAt(call) }] : null;
    };
    const place = { rack: 'r3', ownRack: 'r3' };
    await withFetcher(script, [{}], async ({ fetcher, client, until }) => {
      await until('records', () => fetcher.hasReady);
      expect(client.asked.slice(0, 3).map(({ broker, rack }) => [broker, rack])).toEqual([
        [1, 'r3'],
        [3, 'r3'],
        [1, ''],
      ]);
      expect(fetcher.crossRackBytes).toBe(batchAt(0).length);
    }, place);
  });

  it('counts what comes from other racks', async () => {
    const script: Script = (broker, _request, call) =>
      broker === 1 ? [{ records: batchAt(0), preferredReplica: 3 }] : call < 2 ? [{ records: batchAt(1) }] : null;
    for (const [ownRack, batches] of [['r3', 1], ['r1', 1], ['r2', 2], [null, 0]] as const) {
      await withFetcher(script, [{}], async ({ fetcher, client, until }) => {
        await until('the third request', () => client.asked.length === 3);
        expect(fetcher.bytesReceived).toBe(2 * batchAt(0).length);
        expect([ownRack, fetcher.crossRackBytes]).toEqual([ownRack, batches * batchAt(0).length]);
      }, { rack: 'r3', ownRack });
    }
  });

  it('asks last for partitions that got something, so that a large batch comes first in the end', async () => {
    const script: Script = (_broker, request, call) => {
      // As Kafka does: only the first partition gets a batch larger than the limit; others get a part of it, useless.
      if (call > 2) return null;
      const large = batchAt(0);
      return request.partitions.map(({ partition }, index) => ({
        partition,
        records: index === 0 ? large : large.subarray(0, 30),
      }));
    };
    await withFetcher(
      script,
      [{}, {}, {}],
      async ({ fetcher, client, until }) => {
        const seen: number[] = [];
        await until('every partition', () => {
          const fetched = fetcher.next();
          if (fetched !== null) {
            seen.push(fetched.state.partition);
            fetcher.release(fetched);
          }
          return seen.length === 3;
        });
        expect(seen).toEqual([0, 1, 2]);
        expect(client.asked.slice(0, 3).map(({ partitions }) => partitions)).toEqual([[0, 1, 2], [1, 2, 0], [2, 0, 1]]);
      },
      {},
    );
  });

  it('is done where the last records were compacted away, but not where a limit held them back', async () => {
    const script: Script = (_broker, _request, call) => {
      if (call === 0) return [{ partition: 0 }, { partition: 1, records: batchAt(95) }];
      return call === 1 ? [{ partition: 0 }, { partition: 1 }] : null;
    };
    await withFetcher(script, [{ offset: 90, endOffset: 100 }, { offset: 95, endOffset: 100 }], async (
      { fetcher, states, client, until },
    ) => {
      await until('the second request', () => client.asked.length === 2);
      expect(states.map(({ phase }) => phase)).toEqual(['fetching', 'fetching']);
      await until('the end', () => states.every(({ phase }) => phase === 'fetched'));
      expect(fetcher.areAllRead).toBe(false);
      const fetched = fetcher.next();
      if (fetched !== null) fetcher.release(fetched);
      expect(fetcher.areAllRead).toBe(true);
    });
  });

  it('is not done before the end is committed', async () => {
    const script: Script = (_broker, _request, call) => (call < 3 ? [{ highWatermark: 99 }] : [{ highWatermark: 100 }]);
    await withFetcher(script, [{ offset: 90, endOffset: 100 }], async ({ states, client, until }) => {
      await until('the end', () => states[0]?.phase === 'fetched');
      expect(client.asked).toHaveLength(4);
    });
  });

  it('does as told where an offset is gone', async () => {
    const gone: Script = (_broker, request) =>
      (request.partitions[0]?.offset ?? 0) < 40 ? [{ errorCode: ErrorCode.offsetOutOfRange }] : null;
    await withFetcher(gone, [{ offset: 5 }], async ({ fetcher, until }) => {
      await until('the failure', () => fetcher.failure !== null);
      expect(fetcher.failure?.message).toContain('topic t, partition 0 no longer has offset 5 (it has 40 to 90)');
    });
    for (const [reset, offset] of [['earliest', 40], ['latest', 90]] as const) {
      await withFetcher(gone, [{ offset: 5 }], async ({ client, until }) => {
        await until('the next request', () => client.asked.length === 2);
        expect(client.asked[1]?.offsets).toEqual([offset]);
      }, { reset });
    }
    await withFetcher(gone, [{ offset: 5, isFromBeginning: true }], async ({ client, until }) => {
      await until('the next request', () => client.asked.length === 2);
      expect(client.asked[1]?.offsets).toEqual([40]);
    });
  });

  it('does not read the same records for ever', async () => {
    await withFetcher(() => [{ records: batchAt(0) }], [{ offset: 5 }], async ({ fetcher, until }) => {
      await until('the failure', () => fetcher.failure !== null);
      expect(fetcher.failure).toMatchObject({ code: 'MR-KAFKA-CORRUPT' });
    });
  });

  it('stops at bytes that are no batch, and hands them on for their error', async () => {
    const old = batchAt(0);
    old[16] = 1;
    await withFetcher(() => [{ records: old }], [{}], async ({ fetcher, states, until }) => {
      await until('the range', () => fetcher.hasReady);
      expect(states[0]?.phase).toBe('broken');
      expect(fetcher.next()?.range.end).toBe(old.length);
    });
  });

  it.each([
    [ErrorCode.topicAuthorizationFailed, 'MR-KAFKA-NOT-AUTHORIZED'],
    [ErrorCode.corruptMessage, 'MR-KAFKA-CORRUPT'],
    [-1, 'MR-KAFKA-REFUSED'],
  ])('fails at once on error %d', async (errorCode, code) => {
    await withFetcher(() => [{ errorCode }], [{}], async ({ fetcher, client, until }) => {
      await until('the failure', () => fetcher.failure !== null);
      expect(fetcher.failure).toMatchObject({ code });
      expect(client.asked).toHaveLength(1);
    });
  });
});
