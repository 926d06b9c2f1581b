/**
 * Requests to coordinators: of a group, or of a transactional id. A coordinator is a partition's leader and moves like
 * one, so each request is sent again, after a new look, until an answer says more than that it moves.
 */
import type { Ports } from '../../../core/index.ts';
import { kafkaErrors } from '../errors.ts';
import type { EndAnswer, FoundOffset, TopicPartition, TransactionIdentity } from './client.ts';
import { checkCode, describeErrorCode, ErrorCode, isFenced } from './error-codes.ts';
import { kafkajsRequests, type KafkajsProtocol } from './kafkajs-internals.ts';
import { persist } from './persist.ts';
import { apis, optionalApis } from './required-apis.ts';

/** The connections that they are sent over. */
export interface CoordinatorLink {
  readonly ports: Ports;
  readonly requestTimeoutMs: number;
  isClosed(): boolean;
  askAny(protocol: KafkajsProtocol): Promise<unknown>;
  /** On a connection that is for coordinators: their answers take longer than others'. */
  askCoordinator(brokerId: number, protocol: KafkajsProtocol): Promise<unknown>;
}

type CoordinatorKind = 'group' | 'transactional id';

interface Question<Answer> {
  readonly kind: CoordinatorKind;
  readonly key: string;
  readonly operation: string;
  readonly protocol: KafkajsProtocol;
  readonly timeoutMs: number;
  /** Null where the answer is final, else why to ask again. */
  readonly judge: (answer: Answer) => string | null;
}

interface Coded {
  readonly errorCode: number;
}

interface CommittedOffsets extends Coded {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly (Coded & { readonly partition: number; readonly offset: string })[];
  }[];
}

const COORDINATOR_TYPES: Readonly<Record<CoordinatorKind, number>> = { group: 0, 'transactional id': 1 };
const UNKNOWN_OFFSET = '-1';
/** A group without members. */
const NO_GENERATION = -1;
/** An earlier transaction of the id is usually ended within a few milliseconds. */
const FIRST_DELAY_MS = 20;

export class CoordinatorRequests {
  readonly #link: CoordinatorLink;
  /** Brokers by kind and key. */
  readonly #known = new Map<string, number>();

  constructor(link: CoordinatorLink) {
    this.#link = link;
  }

  async committedOffsets(group: string, partitions: readonly TopicPartition[]): Promise<readonly FoundOffset[]> {
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const { version } = apis.offsetFetch;
    const found = new Map<string, number | null>();
    await this.#ask<CommittedOffsets>({
      kind: 'group',
      key: group,
      operation: 'read offsets of',
      protocol: kafkajsRequests.OffsetFetch.protocol({ version })({ groupId: group, topics }),
      timeoutMs: this.#link.requestTimeoutMs,
      judge: (answer) => {
        const codes = [answer.errorCode, ...answer.responses.flatMap((t) => t.partitions.map((p) => p.errorCode))];
        const again = worst(codes, 'read offsets of', `group ${group}`);
        for (const { topic, partitions: ofTopic } of again === null ? answer.responses : []) {
          for (const { partition, offset } of ofTopic) {
            found.set(`${topic}/${partition}`, offset === UNKNOWN_OFFSET ? null : Number(offset));
          }
        }
        return again;
      },
    });
    return partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      offset: found.get(`${topic}/${partition}`) ?? null,
    }));
  }

  async commitOffsets(
    group: string,
    offsets: readonly (TopicPartition & { readonly offset: number })[],
  ): Promise<void> {
    const topics = byTopic(offsets, ({ partition, offset }) => ({ partition, offset: String(offset) }));
    const { version } = optionalApis.offsetCommit;
    const args = { groupId: group, groupGenerationId: NO_GENERATION, memberId: '', topics };
    await this.#ask<{ readonly responses: readonly { readonly partitions: readonly Coded[] }[] }>({
      kind: 'group',
      key: group,
      operation: 'commit offsets of',
      protocol: kafkajsRequests.OffsetCommit.protocol({ version })(args),
      timeoutMs: this.#link.requestTimeoutMs,
      judge: ({ responses }) => {
        const codes = responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
        return worst(codes, 'commit offsets of', `group ${group}`);
      },
    });
  }

  async initTransactionalId(
    transactionalId: string,
    transactionTimeoutMs: number,
    timeoutMs: number,
  ): Promise<TransactionIdentity> {
    const args = { transactionalId, transactionTimeout: transactionTimeoutMs };
    let identity: TransactionIdentity | null = null;
    await this.#askTransactional<Coded & { readonly producerId: string; readonly producerEpoch: number }>({
      transactionalId,
      operation: 'begin a transaction for',
      protocol: kafkajsRequests.InitProducerId.protocol({ version: apis.initProducerId.version })(args),
      timeoutMs,
      judge: ({ errorCode, producerId, producerEpoch }, again) => {
        if (errorCode === ErrorCode.invalidTransactionTimeout) {
          const fields = { seconds: transactionTimeoutMs / 1000, limit: '' };
          throw kafkaErrors.create('MR-KAFKA-TRANSACTION-TIMEOUT', fields);
        }
        if (errorCode === ErrorCode.none) {
          identity = { transactionalId, producerId: BigInt(producerId), epoch: producerEpoch };
        }
        return again(errorCode);
      },
    });
    return identity as unknown as TransactionIdentity;
  }

  async addToTransaction(
    transaction: TransactionIdentity,
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<void> {
    const topics = byTopic(partitions, ({ partition }) => partition);
    const { version } = optionalApis.addPartitionsToTxn;
    await this.#askTransactional<{ readonly errors: readonly { readonly partitionErrors: readonly Coded[] }[] }>({
      transactionalId: transaction.transactionalId,
      operation: 'add partitions to a transaction of',
      protocol: kafkajsRequests.AddPartitionsToTxn.protocol({ version })({ ...wireIdentity(transaction), topics }),
      timeoutMs,
      judge: ({ errors }, again) => {
        const codes = errors.flatMap(({ partitionErrors }) => partitionErrors.map(({ errorCode }) => errorCode));
        // Those that were not tried are so because of another, which says why.
        const tried = codes.filter((code) => code !== ErrorCode.operationNotAttempted);
        return tried.map(again).find((reason) => reason !== null) ?? null;
      },
    });
  }

  async commitTransaction(transaction: TransactionIdentity, timeoutMs: number): Promise<EndAnswer> {
    const args = { ...wireIdentity(transaction), transactionResult: true };
    let answer: EndAnswer = { kind: 'committed' };
    await this.#askTransactional<Coded>({
      transactionalId: transaction.transactionalId,
      operation: 'commit a transaction of',
      protocol: kafkajsRequests.EndTxn.protocol({ version: optionalApis.endTxn.version })(args),
      timeoutMs,
      judge: ({ errorCode }, again) => {
        if (!isFenced(errorCode)) return again(errorCode);
        answer = { kind: 'refused', reason: describeErrorCode(errorCode).name };
        return null;
      },
    });
    return answer;
  }

  async #askTransactional<Answer>(
    question: Omit<Question<Answer>, 'kind' | 'key' | 'judge'> & {
      readonly transactionalId: string;
      readonly judge: (answer: Answer, again: (code: number) => string | null) => string | null;
    },
  ): Promise<void> {
    const { transactionalId, operation } = question;
    const again = (code: number): string | null => {
      const { name } = describeErrorCode(code);
      if (code === ErrorCode.concurrentTransactions) return name;
      if (isFenced(code)) throw kafkaErrors.create('MR-KAFKA-TRANSACTION-FENCED', { transactionalId, reason: name });
      return checkCode(code, operation, `transactional id ${transactionalId}`);
    };
    await this.#ask<Answer>({
      ...question,
      kind: 'transactional id',
      key: transactionalId,
      judge: (answer) => question.judge(answer, again),
    });
  }

  async #ask<Answer>({ kind, key, operation, protocol, timeoutMs, judge }: Question<Answer>): Promise<void> {
    const link = this.#link;
    const name = `${kind} ${key}`;
    const isClosed = () => link.isClosed();
    const how = { ports: link.ports, timeoutMs, firstDelayMs: FIRST_DELAY_MS, operation, resource: name, isClosed };
    await persist(how, async () => {
      const brokerId = this.#known.get(name) ?? (await this.#find(kind, key));
      if (typeof brokerId === 'string') return brokerId;
      // Kept only while it answers.
      this.#known.delete(name);
      const reason = judge((await link.askCoordinator(brokerId, protocol)) as Answer);
      if (reason === null) this.#known.set(name, brokerId);
      return reason;
    });
  }

  /** The broker, or why there is none just now. */
  async #find(kind: CoordinatorKind, key: string): Promise<number | string> {
    const { version } = apis.findCoordinator;
    const args = { groupId: key, coordinatorType: COORDINATOR_TYPES[kind] };
    const answer = (await this.#link.askAny(kafkajsRequests.GroupCoordinator.protocol({ version })(args))) as Coded & {
      readonly coordinator: { readonly nodeId: number };
    };
    const reason = checkCode(answer.errorCode, 'find the coordinator of', `${kind} ${key}`);
    return reason ?? answer.coordinator.nodeId;
  }
}

function wireIdentity({ transactionalId, producerId, epoch }: TransactionIdentity): {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
} {
  return { transactionalId, producerId: String(producerId), producerEpoch: epoch };
}

function byTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  of: (partition: P) => T,
): { readonly topic: string; readonly partitions: readonly T[] }[] {
  const groups = Map.groupBy(partitions, ({ topic }) => topic);
  return Array.from(groups, ([topic, ofTopic]) => ({ topic, partitions: ofTopic.map(of) }));
}

/** Why to try again, if any of the codes says so; throws for one that is final. */
function worst(codes: readonly number[], operation: string, resource: string): string | null {
  return codes.map((code) => checkCode(code, operation, resource)).find((reason) => reason !== null) ?? null;
}
