/** What a Kafka split's position holds. */
import { splitId, type OptionValue, type Split, type SplitId } from '../../../core/index.ts';

export interface KafkaPosition {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to read. */
  readonly offset: number;
  /** The first offset that is not read any more; null for an unbounded split. */
  readonly endOffset: number | null;
  /**
   * The partition has not been read yet and is to be read from its beginning: retention may raise that meanwhile
   * without anything being lost that was promised.
   */
  readonly isFromBeginning: boolean;
}

export function kafkaSplitId(topic: string, partition: number): SplitId {
  return splitId(`${topic}-${partition}`);
}

export function kafkaSplit(position: KafkaPosition, racks: readonly string[] = []): Split {
  const { topic, partition, offset, endOffset, isFromBeginning } = position;
  return {
    id: kafkaSplitId(topic, partition),
    position: { topic, partition, offset, endOffset, isFromBeginning } satisfies Readonly<Record<string, OptionValue>>,
    racks,
  };
}

export function positionOf(split: Split): KafkaPosition {
  const { topic, partition, offset, endOffset, isFromBeginning } = split.position;
  if (typeof topic !== 'string' || typeof partition !== 'number' || typeof offset !== 'number') {
    throw new TypeError(`split ${split.id} is not one of Kafka`);
  }
  return {
    topic,
    partition,
    offset,
    endOffset: typeof endOffset === 'number' ? endOffset : null,
    isFromBeginning: isFromBeginning === true,
  };
}
