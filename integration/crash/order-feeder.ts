import { Partitioners, type Kafka, type Message, type Producer } from 'kafkajs';

import { createTopic, uniqueName } from '../environment/index.ts';
import { orderAt, orderText, paymentAt, paymentText, type OrderStream } from './orders.ts';

/** By what is in them. */
export interface InputTopics {
  readonly orders: string;
  readonly payments: string;
}

export async function createInputTopics(brokers: string, { partitions }: OrderStream): Promise<InputTopics> {
  return {
    orders: await createTopic(brokers, { name: uniqueName('orders'), partitions }),
    payments: await createTopic(brokers, { name: uniqueName('payments'), partitions }),
  };
}

/** How often it sends while orders are to come steadily. */
const TICK_MS = 25;
/** A run is given its orders within so many ticks; then one now and then, however long it takes. */
const TICKS_PER_QUOTA = 80;
const TRICKLE_TICKS = 2;
const BATCH_ORDERS = 2000;

/** Writes a stream, each partition in order, by a client that shares no code with the engine. */
export class OrderFeeder {
  readonly #producer: Producer;
  readonly #topics: InputTopics;
  readonly #stream: OrderStream;
  #sent = 0;

  constructor(kafka: Kafka, topics: InputTopics, stream: OrderStream) {
    this.#producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    this.#topics = topics;
    this.#stream = stream;
  }

  /** Per partition. */
  get remaining(): number {
    return this.#stream.ordersPerPartition - this.#sent;
  }

  async open(): Promise<void> {
    await this.#producer.connect();
  }

  /** The next so many orders and payments of each partition, at once. */
  async send(perPartition: number): Promise<void> {
    for (let left = Math.min(perPartition, this.remaining); left > 0; ) {
      const count = Math.min(left, BATCH_ORDERS);
      const orders = this.#messages(count, (partition, index) => orderText(orderAt(this.#stream, partition, index)));
      const payments = this.#messages(count, (partition, index) =>
        paymentText(paymentAt(this.#stream, partition, index)),
      );
      const topicMessages = [
        { topic: this.#topics.orders, messages: orders },
        { topic: this.#topics.payments, messages: payments },
      ];
      await this.#producer.sendBatch({ acks: -1, topicMessages });
      this.#sent += count;
      left -= count;
    }
  }

  #messages(count: number, textAt: (partition: number, index: number) => string): Message[] {
    return Array.from({ length: this.#stream.partitions }, (_, partition) =>
      Array.from({ length: count }, (_, next) => ({ partition, value: textAt(partition, this.#sent + next) })),
    ).flat();
  }

  /**
   * Steadily sends `quota` orders to each partition, then goes on slowly, so that there is always something to come;
   * until `ended` is settled.
   */
  async feed(quota: number, ended: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    void ended.then(stop, stop);
    const perTick = Math.max(1, Math.ceil(quota / TICKS_PER_QUOTA));
    let given = 0;
    for (let tick = 0; !over.signal.aborted; tick++) {
      if (given < quota) {
        given += perTick;
        await this.send(perTick);
      } else if (tick % TRICKLE_TICKS === 0) await this.send(1);
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }
}
