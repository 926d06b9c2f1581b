import { Partitioners, type Kafka, type Message, type Producer } from 'kafkajs';

import { orderAt, orderText, type OrderStream } from './orders.ts';

/** How often it sends while orders are to come steadily. */
const TICK_MS = 25;
/** A run is given its orders within so many ticks; then one now and then, however long it takes. */
const TICKS_PER_QUOTA = 80;
const TRICKLE_TICKS = 8;
const BATCH_ORDERS = 2000;

/** Writes the orders of a stream, each partition in order, by a client that shares no code with the engine. */
export class OrderFeeder {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #stream: OrderStream;
  #sent = 0;

  constructor(kafka: Kafka, topic: string, stream: OrderStream) {
    this.#producer = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    this.#topic = topic;
    this.#stream = stream;
  }

  /** Per partition. */
  get remaining(): number {
    return this.#stream.ordersPerPartition - this.#sent;
  }

  async open(): Promise<void> {
    await this.#producer.connect();
  }

  /** The next so many orders of each partition, at once. */
  async send(perPartition: number): Promise<void> {
    for (let left = Math.min(perPartition, this.remaining); left > 0; ) {
      const count = Math.min(left, BATCH_ORDERS);
      const from = this.#sent;
      const messages: Message[] = [];
      for (let partition = 0; partition < this.#stream.partitions; partition++) {
        for (let index = from; index < from + count; index++) {
          messages.push({ partition, value: orderText(orderAt(this.#stream, partition, index)) });
        }
      }
      await this.#producer.send({ topic: this.#topic, acks: -1, messages });
      this.#sent += count;
      left -= count;
    }
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
