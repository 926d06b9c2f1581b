import { defineOptions, type OptionValue } from '../../../core/index.ts';
import { connectionOptions } from '../connection-options.ts';
import { transactionOptions } from '../transaction/index.ts';

export const sourceOptions = defineOptions({
  ...connectionOptions,
  topic: {
    kind: 'list',
    doc: 'the topic to read, or a list of topics',
    aliases: ['topics', 'subscribe'],
    validate: (value) => ((value as readonly string[]).length === 0 ? 'needs at least one name' : null),
  },
  topicPattern: {
    kind: 'string',
    doc: 'a regular expression instead of `topic`: reads all topics whose whole name matches',
    aliases: ['topic-pattern', 'topics.regex', 'pattern'],
    validate: (value) => patternProblem(value as string),
  },
  start: {
    kind: 'any',
    default: 'earliest',
    doc:
      'where to begin: earliest, latest, group (offsets committed by `group`), {timestamp: ISO 8601 or ' +
      'milliseconds}, or {offsets: {PARTITION: OFFSET}} ({TOPIC: {PARTITION: OFFSET}} for several topics; partitions ' +
      'that are not named start at earliest)',
    aliases: ['scan.startup.mode', 'startingOffsets', 'startup', 'from'],
    validate: (value) => limitProblem(value, ['earliest', 'latest', 'group']),
  },
  end: {
    kind: 'any',
    default: 'never',
    doc: 'where to stop: never, latest (what is there at the start), {timestamp: …} or {offsets: {…}}, exclusive',
    aliases: ['scan.bounded.mode', 'endingOffsets', 'bounded', 'until'],
    validate: (value) => limitProblem(value, ['never', 'latest']),
  },
  group: {
    kind: 'string',
    doc:
      'the consumer group whose committed offsets `start: group` means; positions of completed checkpoints are ' +
      'committed to it',
    aliases: ['group.id', 'properties.group.id', 'groupId'],
  },
  reset: {
    kind: 'enum',
    values: ['fail', 'earliest', 'latest'],
    default: 'fail',
    doc: 'what to do where the offset to read is gone or the group has none: fail, or go on from an end',
    aliases: ['auto.offset.reset', 'properties.auto.offset.reset'],
  },
  isolation: {
    kind: 'enum',
    values: ['read_committed', 'read_uncommitted'],
    default: 'read_committed',
    doc: 'whether records of aborted and open transactions are left out',
    aliases: ['isolation.level', 'properties.isolation.level', 'isolationLevel'],
  },
  rack: {
    kind: 'string',
    doc: 'the rack to read replicas from; by default the rack of the TaskManager',
    aliases: ['client.rack', 'properties.client.rack', 'rackId'],
  },
  discoveryInterval: {
    kind: 'duration',
    default: '30s',
    doc: 'how often to look for new partitions and topics; 0s never',
    aliases: ['partition.discovery.interval.ms', 'scan.topic-partition-discovery.interval', 'metadata.max.age.ms'],
  },
  fetchBytes: {
    kind: 'size',
    default: '16MiB',
    min: 1024,
    max: 1 << 30,
    doc: 'how much one answer of a broker may hold; a single larger batch still arrives',
    aliases: ['fetch.max.bytes', 'fetchMaxBytes'],
  },
  partitionBytes: {
    kind: 'size',
    default: '1MiB',
    min: 1,
    max: 1 << 30,
    doc: 'how much of it may be of one partition',
    aliases: ['max.partition.fetch.bytes', 'maxPartitionBytes'],
  },
  bufferBytes: {
    kind: 'size',
    default: '64MiB',
    min: 1024,
    doc: 'how much may be fetched ahead per subtask',
    aliases: ['queued.max.messages.kbytes'],
  },
  fetchWait: {
    kind: 'duration',
    default: '500ms',
    doc: 'how long a broker may wait for `fetchMinBytes` before it answers',
    aliases: ['fetch.max.wait.ms', 'fetch.wait.max.ms'],
  },
  fetchMinBytes: {
    kind: 'size',
    default: '1',
    doc: 'how much a broker should have before it answers',
    aliases: ['fetch.min.bytes'],
  },
  maxBatchBytes: {
    kind: 'size',
    default: '256MiB',
    min: 1024,
    max: 1 << 30,
    doc: 'the most that one compressed batch may grow to',
  },
  unavailableTimeout: {
    kind: 'duration',
    default: '2m',
    min: 1,
    doc: 'how long to keep trying a partition that no broker serves before the task fails',
    aliases: ['default.api.timeout.ms'],
  },
  deadLetterDelivery: {
    kind: 'enum',
    values: ['exactly-once', 'at-least-once'],
    default: 'exactly-once',
    doc:
      'exactly-once: dead letters of a job whose checkpoints are exactly-once become visible with their checkpoint; ' +
      'at-least-once: at once, and again after a restart',
  },
  ...transactionOptions,
});

function patternProblem(pattern: string): string | null {
  try {
    new RegExp(`^(?:${pattern})$`, 'u');
    return null;
  } catch (error) {
    return `is not a regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Where reading starts or ends, parsed. */
export type OffsetLimit =
  | { readonly kind: 'earliest' | 'latest' | 'group' | 'never' }
  | { readonly kind: 'timestamp'; readonly timestampMs: number }
  /** By topic (`*` where one is not named), then partition. */
  | { readonly kind: 'offsets'; readonly byTopic: ReadonlyMap<string, ReadonlyMap<number, number>> };

const ANY_TOPIC = '*';

/** The limit that an option's value means, or what is wrong with it. */
export function parseLimit(value: OptionValue, words: readonly string[]): OffsetLimit | string {
  const expected = `${words.join(', ')}, {timestamp: …} or {offsets: {PARTITION: OFFSET}}`;
  if (typeof value === 'string') {
    return words.includes(value) ? ({ kind: value } as OffsetLimit) : `must be ${expected}, not \`${value}\``;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `must be ${expected}`;
  const entries = Object.entries(value as Readonly<Record<string, OptionValue>>);
  const [key, given] = entries[0] ?? ['', null];
  if (entries.length !== 1 || (key !== 'timestamp' && key !== 'offsets')) return `must be ${expected}`;
  return key === 'timestamp' ? parseTimestamp(given) : parseOffsets(given);
}

function limitProblem(value: OptionValue, words: readonly string[]): string | null {
  const limit = parseLimit(value, words);
  return typeof limit === 'string' ? limit : null;
}

function parseTimestamp(given: OptionValue): OffsetLimit | string {
  const isNumeric = typeof given === 'number' || (typeof given === 'string' && /^\d+$/.test(given));
  const timestampMs = isNumeric ? Number(given) : typeof given === 'string' ? Date.parse(given) : NaN;
  if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) {
    return 'has a timestamp that is neither milliseconds since 1970 nor ISO 8601, such as 2026-01-31T12:00:00Z';
  }
  return { kind: 'timestamp', timestampMs };
}

function parseOffsets(given: OptionValue): OffsetLimit | string {
  const wrong = 'has offsets that are not {PARTITION: OFFSET} or {TOPIC: {PARTITION: OFFSET}}';
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return wrong;
  const byTopic = new Map<string, Map<number, number>>();
  for (const [name, value] of Object.entries(given as Readonly<Record<string, OptionValue>>)) {
    const isNested = typeof value === 'object' && value !== null && !Array.isArray(value);
    const topic = isNested ? name : ANY_TOPIC;
    const pairs = isNested ? Object.entries(value as Readonly<Record<string, OptionValue>>) : [[name, value] as const];
    const offsets = byTopic.get(topic) ?? new Map<number, number>();
    byTopic.set(topic, offsets);
    for (const [partition, offset] of pairs) {
      const parsed = typeof offset === 'number' || typeof offset === 'string' ? String(offset) : '';
      if (!/^\d+$/.test(partition) || !/^\d+$/.test(parsed) || !Number.isSafeInteger(Number(parsed))) return wrong;
      offsets.set(Number(partition), Number(parsed));
    }
  }
  return byTopic.size === 0 ? wrong : { kind: 'offsets', byTopic };
}

/** The limit of checked options. */
export function limitOf(
  value: OptionValue,
  words: readonly string[] = ['earliest', 'latest', 'group', 'never'],
): OffsetLimit {
  const limit = parseLimit(value, words);
  if (typeof limit === 'string') throw new TypeError(limit);
  return limit;
}

/** The offset given for a partition, or null. */
export function givenOffset(
  limit: Extract<OffsetLimit, { kind: 'offsets' }>,
  topic: string,
  partition: number,
): number | null {
  return limit.byTopic.get(topic)?.get(partition) ?? limit.byTopic.get(ANY_TOPIC)?.get(partition) ?? null;
}
