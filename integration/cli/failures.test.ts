/** What goes wrong around a job, as whoever runs it sees it: code, exit status, message, and no stack. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, jest } from '@jest/globals';
import { crc32c } from '@node-rs/crc32';

import { startMember, stopMember } from '../../scripts/services/index.ts';
import { createTopic, getBroker, javaConsume, produceRecords, uniqueName } from '../environment/index.ts';
import { jsonLines, runMillrace, type Ended } from './run-millrace.ts';

jest.setTimeout(120_000);

interface JobParts {
  readonly brokers: string;
  readonly topic: string;
  /** More lines of the source's `with`. */
  readonly with?: string;
  readonly errors?: string;
  readonly sink?: string;
}

/** Texts of a topic, printed. */
function job(parts: JobParts): string {
  return `name: failures
steps:
  - id: texts
    source: kafka
    with:
      brokers: ${parts.brokers}
      topic: ${parts.topic}
      end: latest
      format: json
${parts.with ?? ''}
    schema: {id: long, text: string}
${parts.errors === undefined ? '' : `    errors: ${parts.errors}`}
  - id: lengths
    select: {id: id, length: LENGTH(text)}
  - id: out
    sink: ${parts.sink ?? 'print'}
`;
}

function run(text: string): Promise<Ended> {
  return runMillrace(['run', '-q', '-'], { input: text });
}

/** The job failed with this first line, and told no more than it should. */
function expectFailure(ended: Ended, message: RegExp): void {
  expect(ended.errors).toMatch(message);
  expect(ended.exitCode).toBe(1);
  expect(ended.errors).not.toMatch(/\n\s+at /);
}

describe('a topic', () => {
  it('that does not exist is named, with the nearest that does', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers);
    const ended = await run(job({ brokers, topic: `${topic}x` }));
    expectFailure(ended, new RegExp(`^error MR-KAFKA-TOPIC-NOT-FOUND: .*topic ${topic}x does not exist on .*${topic}`));
  });

  it('that does not exist is found out before a sink takes rows', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers);
    const sink = `kafka\n    with: {brokers: "${brokers}", topic: no-such-output, format: json}`;
    const ended = await run(job({ brokers, topic, sink }));
    expectFailure(ended, /^error MR-KAFKA-TOPIC-NOT-FOUND: step out: topic no-such-output /);
  });
});

describe('a broker', () => {
  it('that is not there is an error with its address, not an endless wait', async () => {
    const ended = await run(job({ brokers: '127.0.0.1:1', topic: 't', with: '      connectTimeout: 1s' }));
    expectFailure(ended, /^error MR-KAFKA-UNREACHABLE: .*127\.0\.0\.1:1/);
  });

  it('lets in who has the password, and tells who has not', async () => {
    const { brokers, security } = await getBroker({ secure: true });
    if (security === undefined) throw new Error('the broker has no secured listener');
    const topic = await createTopic(brokers);
    await produceRecords(brokers, topic, [{ value: '{"id":1,"text":"ok"}' }]);
    const login = (password: string): string =>
      `      sasl: {mechanism: scram-sha-512, username: ${security.user}, password: ${password}}`;
    const good = await run(job({ brokers: security.saslBrokers, topic, with: login(security.password) }));
    expect(good).toMatchObject({ exitCode: 0, errors: '' });
    expect(jsonLines(good.output)).toEqual([{ id: 1, length: 2 }]);
    const bad = await run(job({ brokers: security.saslBrokers, topic, with: login('not-the-password') }));
    expectFailure(bad, new RegExp(`^error MR-KAFKA-AUTHENTICATION: .*${security.user}`));
    expect(bad.errors).not.toContain('not-the-password');
  });
});

describe('a record', () => {
  const good = { value: '{"id":1,"text":"ok"}' };

  it('of 10 MB is read like any other', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { config: { 'max.message.bytes': String(32 << 20) } });
    const length = 10 * 1024 * 1024;
    await produceRecords(brokers, topic, [good, { value: JSON.stringify({ id: 2, text: 'x'.repeat(length) }) }, good]);
    const { exitCode, output } = await run(job({ brokers, topic }));
    expect({ exitCode, rows: jsonLines(output) }).toEqual({
      exitCode: 0,
      rows: [{ id: 1, length: 2 }, { id: 2, length }, { id: 1, length: 2 }],
    });
  });

  it.each([
    ['than the topic takes', '32MiB', /^error MR-KAFKA-MESSAGE-TOO-LARGE: .*max\.message\.bytes/],
    ['than the sink may send', '1MiB', /^error MR-KAFKA-RECORD-TOO-LARGE: .*`maxRequestBytes`/],
  ])('that is larger %s is an error that names the setting', async (_what, maxRequestBytes, message) => {
    const { brokers } = await getBroker();
    const output = await createTopic(brokers, { config: { 'max.message.bytes': String(1 << 20) } });
    const text = `name: large
steps:
  - id: one
    source: datagen
    with: {count: 1}
    schema: {id: long}
  - id: large
    select: {text: "REPEAT('x', 10485760)"}
  - id: out
    sink: kafka
    with: {brokers: "${brokers}", topic: ${output}, format: json, maxRequestBytes: ${maxRequestBytes}}
`;
    expectFailure(await run(text), message);
    expect(await javaConsume({ brokers, topic: output })).toEqual([]);
  });

  const withEmpty = [good, { key: 'k', value: '' }, { value: '{"id":3,"text":"after"}' }];
  const others = [{ id: 1, length: 2 }, { id: 3, length: 5 }];

  it('that is empty fails the job with its step and position', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers);
    await produceRecords(brokers, topic, withEmpty);
    const failed = await run(job({ brokers, topic }));
    expectFailure(failed, new RegExp(`^error MR-FORMAT-[A-Z-]+: .*${topic}.*partition 0.*offset 1`));
    expect(failed.errors).toContain('texts');
  });

  it('that is empty is skipped and counted where the file says so', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers);
    await produceRecords(brokers, topic, withEmpty);
    const text = job({ brokers, topic, errors: 'skip' });
    const { exitCode, output } = await runMillrace(['run', '-q', '--json', '-'], { input: text });
    const documentAt = output.indexOf('{\n');
    expect({ exitCode, rows: jsonLines(output.slice(0, documentAt)) }).toEqual({ exitCode: 0, rows: others });
    expect(JSON.parse(output.slice(documentAt))).toMatchObject({
      state: 'FINISHED',
      error: null,
      steps: { texts: { numRecordsSkipped: 1 } },
    });
  });

  it('that is empty becomes a dead letter where the file says so', async () => {
    const { brokers } = await getBroker();
    const [topic, letters] = [await createTopic(brokers), await createTopic(brokers)];
    await produceRecords(brokers, topic, withEmpty);
    const { exitCode, output } = await run(job({ brokers, topic, errors: `{to: ${letters}}` }));
    expect({ exitCode, rows: jsonLines(output) }).toEqual({ exitCode: 0, rows: others });
    const [letter, ...more] = await javaConsume({ brokers, topic: letters });
    expect(more).toEqual([]);
    expect(letter?.key?.toString()).toBe('k');
    expect(letter?.value).toHaveLength(0);
  });

  it('without a value is a row of NULLs', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers);
    await produceRecords(brokers, topic, [good, { key: 'gone', value: null }]);
    const { exitCode, output } = await run(job({ brokers, topic }));
    const rows = [{ id: 1, length: 2 }, { id: null, length: null }];
    expect({ exitCode, rows: jsonLines(output) }).toEqual({ exitCode: 0, rows });
  });
});

/** Where a record batch (format v2) has its CRC, and the first byte that this covers, with the codec in its second. */
const CRC_OFFSET = 17;
const ATTRIBUTES_OFFSET = 21;
const BATCH_LENGTH_OFFSET = 8;
const UNKNOWN_CODEC = 6;

/** Gives the first batch of a log file a codec that Kafka does not have, and a CRC that is right. */
function spoilCodec(file: string): void {
  const log = readFileSync(file);
  const end = BATCH_LENGTH_OFFSET + 4 + log.readInt32BE(BATCH_LENGTH_OFFSET);
  log.writeInt16BE(UNKNOWN_CODEC, ATTRIBUTES_OFFSET);
  log.writeUInt32BE(crc32c(log.subarray(ATTRIBUTES_OFFSET, end)), CRC_OFFSET);
  writeFileSync(file, log);
}

describe('a batch in a codec that nobody knows', () => {
  it('fails the job with its position', async () => {
    const services = await getBroker({ private: uniqueName('codec') });
    const topic = await createTopic(services.brokers);
    await produceRecords(services.brokers, topic, [{ value: '{"id":1,"text":"a"}' }]);
    await stopMember(services.name, 'broker-1');
    const files = readdirSync(services.directory, { recursive: true, encoding: 'utf8' });
    const log = files.find((name) => name.includes(`${topic}-0`) && name.endsWith('.log'));
    spoilCodec(join(services.directory, log ?? 'no log file'));
    await startMember(services.name, 'broker-1');
    const ended = await run(job({ brokers: services.brokers, topic }));
    const place = `${topic}.*partition 0.*offset 0`;
    expectFailure(ended, new RegExp(`^error MR-KAFKA-UNKNOWN-CODEC: .*${place}.*codec ${UNKNOWN_CODEC}`));
  });
});
