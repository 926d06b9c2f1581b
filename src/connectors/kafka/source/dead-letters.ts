/**
 * Sends poison records to the dead-letter topic: key, value and headers as they were, and headers that say where they
 * came from and what was wrong.
 */
import type { ErrorFields, RecordBlock } from '../../../core/index.ts';
import type { Producer, TopicQueues } from '../producer/index.ts';
import { decodeHeaders, encodeHeaders, type RecordHeader } from '../record-batch/index.ts';

/** The headers that a dead letter has beside its own. */
const deadLetterHeaders = Object.freeze({
  code: 'millrace.error.code',
  message: 'millrace.error.message',
  step: 'millrace.error.step',
  job: 'millrace.job',
  topic: 'millrace.topic',
  partition: 'millrace.partition',
  offset: 'millrace.offset',
  timestamp: 'millrace.timestamp',
});

export interface DeadLetterError {
  readonly code: string;
  readonly message: string;
  readonly stepId: string;
}

export class DeadLetters {
  readonly #producer: Producer;
  readonly #target: TopicQueues;
  readonly #jobName: string;

  constructor(producer: Producer, target: string, jobName: string) {
    this.#producer = producer;
    this.#target = producer.queuesOf(target);
    this.#jobName = jobName;
  }

  send(block: RecordBlock, record: number, from: ErrorFields, error: DeadLetterError): void {
    const headerStart = block.headerStarts[record] as number;
    const timestamp = block.timestamps[record] as number;
    const text = (name: string, value: string): RecordHeader => ({ name, value: Buffer.from(value) });
    const headers = encodeHeaders([
      ...decodeHeaders(block.data, headerStart, block.headerEnds[record] as number),
      text(deadLetterHeaders.code, error.code),
      text(deadLetterHeaders.message, error.message),
      text(deadLetterHeaders.step, error.stepId),
      text(deadLetterHeaders.job, this.#jobName),
      text(deadLetterHeaders.topic, String(from['topic'])),
      text(deadLetterHeaders.partition, String(from['partition'])),
      text(deadLetterHeaders.offset, String(block.offsets[record])),
      text(deadLetterHeaders.timestamp, String(timestamp)),
    ]);
    this.#producer.append(
      this.#target,
      Math.max(0, timestamp),
      block.data,
      block.keyStarts[record] as number,
      block.keyEnds[record] as number,
      block.data,
      block.valueStarts[record] as number,
      block.valueEnds[record] as number,
      headers,
    );
  }
}
