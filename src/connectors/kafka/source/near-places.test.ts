import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../testing/index.ts';
import type { ClusterMetadata, KafkaClient } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { nearPlaces, sendsToNearest } from './near-places.ts';

const clusterIn = (...racks: readonly (string | null)[]): ClusterMetadata => ({
  brokers: new Map(racks.map((rack, index) => [index + 1, { id: index + 1, host: `h${index + 1}`, port: 1, rack }])),
  topics: new Map(),
});
const led = (leader: number, ...inSyncReplicas: readonly number[]) => {
  return { partition: 0, leader, replicas: [1, 2, 3], inSyncReplicas };
};

describe('a partition is near', () => {
  const spread = clusterIn('a', 'b', 'c');

  it.each([
    ['to its leader alone, where only leaders are read from', spread, false, null, ['a', 'h1']],
    ['to all that are in sync, where the nearest is', spread, true, null, ['a', 'h1', 'b']],
    ['to the replica in the rack that is to be read from', spread, true, 'b', ['b']],
    ['to its leader, where there is none in that rack', spread, true, 'c', ['a', 'h1']],
    ['to nobody, where brokers do not say where they are', clusterIn(null, null, null), true, null, []],
  ])('%s', (_, metadata, isNearest, rack, places) => {
    expect(nearPlaces(metadata, led(1, 1, 2), { isNearest, rack })).toEqual(places);
  });

  it('to those in sync while it has no leader; and a name that all machines have is no place', () => {
    const reading = { isNearest: true, rack: null };
    expect(nearPlaces(spread, led(-1, 2), reading)).toEqual(['b']);
    const [first] = [...spread.brokers.values()];
    if (first === undefined) throw new Error('no broker');
    const local = { ...spread, brokers: new Map([[1, { ...first, host: '127.0.0.1' }]]) };
    expect(nearPlaces(local, led(1, 1), reading)).toEqual(['a']);
  });
});

describe('whether brokers send readers to the nearest replica', () => {
  const selector = 'replica.selector.class';
  type Answer = (id: number) => Promise<string | null>;

  function ask(answer: Answer, metadata = clusterIn('a', 'b', 'c')) {
    const clock = new ManualClock();
    const asked: string[] = [];
    const settings = async (_kind: string, id: string) => {
      asked.push(id);
      return new Map([[selector, await answer(Number(id))]]);
    };
    return { clock, asked, isNearest: sendsToNearest({ settings } as unknown as KafkaClient, metadata, clock) };
  }

  it.each([
    ['org.apache.kafka.common.replica.RackAwareReplicaSelector', true],
    ['com.example.Selector', false],
    ['', false],
    [null, false],
  ])('is told by their selector: %s', async (name, isNearest) => {
    expect(await ask(() => Promise.resolve(name)).isNearest).toBe(isNearest);
  });

  it('is told by one that answers, and not by those that do not', async () => {
    const refused = kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers: 'h1', reason: 'gone' });
    const name = 'x.RackAwareReplicaSelector';
    const answers = [Promise.reject(refused), new Promise<never>(() => undefined), Promise.resolve(name)];
    const some = ask((id) => answers[id - 1] ?? Promise.resolve(null));
    expect(await some.isNearest).toBe(true);
    expect(await ask(() => Promise.reject(refused)).isNearest).toBe(false);
    const silent = ask(() => new Promise(() => undefined));
    silent.clock.advanceTo(1000);
    expect(await silent.isNearest).toBe(false);
  });

  it('is no question where all are in one rack', async () => {
    const { asked, isNearest } = ask(() => Promise.resolve(null), clusterIn('a', 'a', null));
    expect(await isNearest).toBe(false);
    expect(asked).toEqual([]);
  });
});
