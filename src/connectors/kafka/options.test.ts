import { describe, expect, it } from '@jest/globals';
import { parseOptions, types, type SourceSpec } from '../../core/index.ts';
import { clientConfig } from './connection-options.ts';
import { createKafkaSink } from './sink/kafka-sink.ts';
import { createKafkaSource } from './source/kafka-source.ts';
import { givenOffset, limitOf, parseLimit } from './source/source-options.ts';

const source = createKafkaSource([]);
const sink = createKafkaSink([]);

const problems = (raw: Readonly<Record<string, unknown>>, table: Parameters<typeof parseOptions>[0] = source.options) =>
  parseOptions(table, { brokers: 'a:1', ...raw }).problems.map(({ message }) => message);

function check(
  raw: Readonly<Record<string,
  unknown>>,
  errors: SourceSpec['errors'] = { kind: 'fail' },
): readonly string[] {
  const { values, problems: wrong } = parseOptions(source.options, { brokers: 'a:1', ...raw });
  expect(wrong).toEqual([]);
  const spec: SourceSpec = {
    stepId: 'in',
    connector: 'kafka',
    options: values,
    format: { name: 'json', options: {} },
    schema: { fields: [{ name: 'v', type: types.string }] },
    metadata: [],
    projection: [0],
    filters: [],
    errors,
  };
  return source.check(spec).map(({ message }) => message);
}

describe('options', () => {
  it('are understood', () => {
    const { values, problems: wrong } = parseOptions(source.options, {
      brokers: 'a:9092, [::1]:9093',
      topic: 'orders',
      tls: { ca: 'ca.pem', verify: 'false' },
      sasl: { mechanism: 'SCRAM-SHA-256', username: 'u', password: 1234 },
      connectTimeout: '3s',
    });
    expect(wrong).toEqual([]);
    expect(values['topic']).toEqual(['orders']);
    expect(clientConfig(values)).toEqual({
      brokers: ['a:9092', '[::1]:9093'],
      clientId: 'millrace',
      tls: { ca: 'ca.pem', cert: null, key: null, passphrase: null, serverName: null, verify: false },
      sasl: { mechanism: 'scram-sha-256', username: 'u', password: '1234' },
      connectTimeoutMs: 3000,
      requestTimeoutMs: 30_000,
    });
  });

  it.each([
    ['bootstrap.servers', 'brokers'],
    ['group.id', 'group'],
    ['scan.startup.mode', 'start'],
    ['isolation.level', 'isolation'],
    ['max.partition.fetch.bytes', 'partitionBytes'],
    ['security.protocol', 'tls'],
    ['topics', 'topic'],
  ])('of other systems are recognised: %s is %s', (given, expected) => {
    expect(problems({ [given]: 'x' })).toEqual([`unknown option \`${given}\`; did you mean \`${expected}\`?`]);
  });

  it.each([
    [{ brokers: 'localhost' }, 'not host:port'],
    [{ brokers: 'localhost:99999' }, 'not host:port'],
    [{ brokers: [] }, 'at least one address'],
    [{ start: 'earlist' }, 'must be earliest, latest, group, {timestamp'],
    [{ start: { timestamp: 'yesterday' } }, 'neither milliseconds since 1970 nor ISO 8601'],
    [{ start: { offsets: { 0: -1 } } }, '{PARTITION: OFFSET}'],
    [{ start: { offsets: {} } }, '{PARTITION: OFFSET}'],
    [{ start: { timestamp: 1, offsets: { 0: 1 } } }, 'must be earliest'],
    [{ end: 'earliest' }, 'must be never, latest'],
    [{ topicPattern: '(' }, 'not a regular expression'],
    [{ tls: { CA: 'x' } }, 'did you mean `ca`?'],
    [{ tls: { cert: 'x' } }, '`cert` and `key` together'],
    [{ tls: 'yes' }, 'must be true, false, or a mapping'],
    [{ sasl: { mechanism: 'scram-sha256', username: 'u', password: 'p' } }, 'did you mean `scram-sha-256`?'],
    [{ sasl: { username: 'u' } }, 'needs `password`'],
    [{ sasl: 'plain' }, 'must be a mapping'],
  ])('that are wrong say how: %j', (raw, message) => {
    expect(problems(raw)).toEqual([expect.stringContaining(message)]);
  });

  it('that hold secrets are marked', () => {
    for (const table of [source.options, sink.options]) {
      expect(table['sasl']?.secret).toBe(true);
      expect(table['tls']?.secret).toBe(true);
    }
  });
});

describe('a source step', () => {
  it('needs one of topic and topicPattern', () => {
    expect(check({})).toEqual([expect.stringContaining('`topic` is required')]);
    expect(check({ topic: 't', topicPattern: 'x' })).toEqual([expect.stringContaining('exclude each other')]);
    expect(check({ topicPattern: 'x' })).toEqual([]);
  });

  it('needs a group to start at its offsets', () => {
    expect(check({ topic: 't', start: 'group' })).toEqual([expect.stringContaining('`group` is required')]);
    expect(check({ topic: 't', start: 'group', group: 'g' })).toEqual([]);
  });

  it('has offsets of its own topics only', () => {
    expect(check({ topic: 't', start: { offsets: { u: { 0: 1 } } } })).toEqual(
      [expect.stringContaining('not in `topic`')],
    );
    expect(check({ topic: ['t', 'u'], end: { offsets: { 0: 1 } } })).toEqual([expect.stringContaining('per topic')]);
  });

  it('does not send dead letters to itself', () => {
    expect(check({ topic: 't' }, { kind: 'dead-letter', target: 't' })).toEqual([
      expect.stringContaining('would be read again'),
    ]);
  });

  it('is bounded where it has an end', () => {
    expect(source.isBounded({ end: 'never' })).toBe(false);
    expect(source.isBounded({})).toBe(false);
    expect(source.isBounded({ end: 'latest' })).toBe(true);
    expect(source.isBounded({ end: { timestamp: 5 } })).toBe(true);
  });
});

describe('limits', () => {
  it('find the offset of a partition', () => {
    const limit = limitOf({ offsets: { 0: 5, 3: '7' } });
    expect(limit.kind === 'offsets' && [0, 1, 3].map((p) => givenOffset(limit, 'any', p))).toEqual([5, null, 7]);
    const nested = limitOf({ offsets: { a: { 0: 1 }, b: { 0: 2 } } });
    expect(nested.kind === 'offsets' && ['a', 'b', 'c'].map((t) => givenOffset(nested, t, 0))).toEqual([1, 2, null]);
    expect(parseLimit({ timestamp: '2026-01-01T00:00:00Z' }, [])).toEqual(
      { kind: 'timestamp', timestampMs: 1767225600000 },
    );
  });
});
