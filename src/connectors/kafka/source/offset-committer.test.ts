import { describe, expect, it } from '@jest/globals';
import type { Ports } from '../../../core/index.ts';
import { nodePorts } from '../../../core/node-ports.ts';
import { kafkaErrors } from '../errors.ts';
import { OffsetCommitter } from './offset-committer.ts';

const position = (offset: number) => ({ topic: 't', partition: 0, offset, endOffset: null, isFromBeginning: false });

describe('offsets of a group', () => {
  it('are committed one after the other, and only the newest of those that wait', async () => {
    const committed: number[] = [];
    let release = (): void => undefined;
    const client = {
      commitOffsets: (_group: string, offsets: readonly { readonly offset: number }[]) =>
        new Promise<void>((resolve) => {
          committed.push(...offsets.map(({ offset }) => offset));
          release = resolve;
        }),
    };
    const committer = new OffsetCommitter(client, 'g', 'in', nodePorts);
    committer.commit([]);
    for (let offset = 1; offset <= 4; offset++) committer.commit([position(offset)]);
    expect(committed).toEqual([1]);
    release();
    while (committed.length < 2) await nodePorts.macrotasks.yield();
    expect(committed).toEqual([1, 4]);
    release();
    await committer.settle(60_000);
    await committer.settle(60_000);
    committer.commit([position(5)]);
    expect(committed).toEqual([1, 4, 5]);
    release();
  });

  it('that cannot be committed are told once, until it works again', async () => {
    const told: string[] = [];
    const streams = { ...nodePorts.streams, writeError: (text: string) => void told.push(text) };
    const ports: Ports = { ...nodePorts, streams };
    let outcome: Error | null = null;
    const client = { commitOffsets: () => (outcome === null ? Promise.resolve() : Promise.reject(outcome)) };
    const committer = new OffsetCommitter(client, 'g', 'in', ports);
    const tryWith = async (failure: Error | null) => {
      outcome = failure;
      committer.commit([position(1)]);
      await committer.settle(60_000);
    };
    const broken = kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers: 'b:1', reason: 'gone' });
    const closed = kafkaErrors.create('MR-KAFKA-CLOSED', {});
    for (const failure of [broken, broken, null, closed, broken]) await tryWith(failure);
    expect(told).toEqual([
      expect.stringMatching(/^step in: offsets are not committed to g: no Kafka broker of b:1 .*\n$/),
      expect.stringMatching(/^step in: offsets are not committed to g/),
    ]);
  });
});
