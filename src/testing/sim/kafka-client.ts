import { MillraceError } from '../../core/index.ts';
import type { Committable, ErrorRetry } from '../../core/index.ts';
import { clockOf } from './context.ts';
import type { Context } from './context.ts';
import type { SimulatedNetwork } from './network.ts';
import type { Answer, OutputRow, SimulatedKafka } from './simulated-kafka.ts';
import type { Wire } from './wire.ts';

export const KAFKA_HOST = 'kafka';
const REQUEST_TIMEOUT_MS = 2000;
const DELIVERY_TIMEOUT_MS = 30_000;
const LEAST_RETRY_MS = 20;
const LONGEST_RETRY_MS = 200;

/** What a process says to Kafka. A request without an answer is sent again: it may arrive twice, and late. */
export class KafkaClient {
  readonly #kafka: SimulatedKafka;
  readonly #context: Context;
  readonly #requests: Wire;
  readonly #answers: Wire;

  constructor(kafka: SimulatedKafka, network: SimulatedNetwork, context: Context, host: string) {
    this.#kafka = kafka;
    this.#context = context;
    this.#requests = network.wire(host, KAFKA_HOST);
    this.#answers = network.wire(KAFKA_HOST, host);
  }

  /** Whatever was open under the id is aborted; resolves to the epoch. */
  async begin(transactionalId: string): Promise<number> {
    const answer = await this.#until(() => this.#kafka.initProducerId(transactionalId));
    if (answer.kind !== 'done') throw kafkaError('fenced', transactionalId);
    return answer.epoch;
  }

  async produce(transactionalId: string, epoch: number, sequence: number, rows: readonly OutputRow[]): Promise<void> {
    const answer = await this.#until(() => this.#kafka.produce(transactionalId, epoch, sequence, rows));
    if (answer.kind !== 'done') throw kafkaError('fenced', transactionalId);
  }

  /** Resolves to whether it was committed by, or before, this very request: no evidence was needed. */
  async commit({ data }: Committable): Promise<boolean> {
    const transactionalId = String(data['transactionalId']);
    const epoch = Number(data['epoch']);
    const answer = await this.#until(() => this.#kafka.endTransaction(transactionalId, epoch));
    if (answer.kind === 'done') return true;
    for (;;) {
      const state = await this.#ask(() => this.#kafka.outcomeOf(transactionalId, epoch));
      if (state === 'committed') return false;
      if (state === 'aborted') throw kafkaError('lost', transactionalId, 'never');
      if (state === 'unknown') throw kafkaError('unknown', transactionalId, 'never');
      await this.#pause();
    }
  }

  async #until(request: () => Answer): Promise<Answer> {
    const { world } = this.#context;
    const deadlineMs = world.nowMs + DELIVERY_TIMEOUT_MS;
    for (;;) {
      const answer = await this.#ask(request);
      if (answer !== null && answer.kind !== 'concurrent' && answer.kind !== 'unavailable') return answer;
      if (world.nowMs > deadlineMs) throw kafkaError('unavailable', KAFKA_HOST);
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return clockOf(this.#context).sleep(this.#context.world.between(LEAST_RETRY_MS, LONGEST_RETRY_MS));
  }

  /** Null where no answer has come in time. */
  #ask<T>(request: () => T): Promise<T | null> {
    const { world } = this.#context;
    return new Promise((resolve) => {
      const timer = clockOf(this.#context).schedule(REQUEST_TIMEOUT_MS, () => resolve(null));
      if (!this.#context.isAlive) return;
      this.#requests.send(() => {
        const answer = request();
        if (world.random() < this.#kafka.lostShare) return;
        this.#answers.send(() => {
          this.#context.perform(() => {
            timer.cancel();
            resolve(answer);
          });
        });
      });
    });
  }
}

function kafkaError(what: string, id: string, retry: ErrorRetry = 'backoff'): MillraceError {
  const row = { domain: 'external', scope: 'job', retry, message: 'transaction {id}: {what}' } as const;
  return new MillraceError('MR-TEST-KAFKA', row, { id, what });
}
