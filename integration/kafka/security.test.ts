import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createTopic, getBroker, uniqueName } from '../environment/index.ts';
import { bytes, readAll, writeAll } from './connector-harness.ts';

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

async function secured(kafka: '3.9' | '4.1' = '3.9') {
  const services = await getBroker({ kafka, secure: true });
  const { security } = services;
  if (security === undefined) throw new Error('these services have no secured listeners');
  const topic = await createTopic(services.brokers, { name: uniqueName('secured') });
  return { ...security, topic, plainBrokers: services.brokers };
}

describe.each(['3.9', '4.1'] as const)('a secured cluster, Kafka %s', (kafka) => {
  it.each(mechanisms)('lets in who knows the password (%s), with TLS and without', async (mechanism) => {
    const { saslBrokers, saslSslBrokers, caFile, user, password, topic } = await secured(kafka);
    const sasl = { mechanism, username: user, password };
    const tls = { ca: readFileSync(caFile, 'utf8') };
    await writeAll({ brokers: saslBrokers, topic, sasl }, [[bytes('plain text')]]);
    await writeAll({ brokers: saslSslBrokers, topic, sasl, tls }, [[bytes('encrypted')]]);
    for (const how of [{ brokers: saslBrokers }, { brokers: saslSslBrokers, tls: { ca: caFile } }]) {
      const records = await readAll({ topic, sasl, ...how });
      expect(records.map(({ value }) => value)).toEqual(['plain text', 'encrypted']);
    }
  });

  it.each(mechanisms)('keeps out who does not (%s)', async (mechanism) => {
    const { saslBrokers, user, topic } = await secured(kafka);
    const sasl = { mechanism, username: user, password: 'wrong' };
    const refusal = {
      code: 'MR-KAFKA-AUTHENTICATION',
      message: expect.stringContaining(`refused user ${user} (${mechanism})`),
    };
    await expect(readAll({ brokers: saslBrokers, topic, sasl })).rejects.toMatchObject(refusal);
    await expect(writeAll({ brokers: saslBrokers, topic, sasl }, [])).rejects.toMatchObject(refusal);
    await expect(readAll({ brokers: saslBrokers, topic, sasl })).rejects.not.toThrow('wrong');
  });
});

describe('TLS', () => {
  it('carries records of megabytes', async () => {
    const { sslBrokers, caFile, topic } = await secured();
    const rows = Array.from({ length: 3000 }, (_, i) => [bytes(`${i} `.padEnd(2000, 'x'))]);
    await writeAll({ brokers: sslBrokers, topic, tls: { ca: caFile } }, rows);
    const records = await readAll({ brokers: sslBrokers, topic, tls: { ca: caFile } });
    expect(records.map(({ value }) => Number.parseInt(value ?? '', 10))).toEqual(rows.map((_, i) => i));
  });

  it('is refused to a broker that nobody vouches for', async () => {
    const { sslBrokers, caFile, topic } = await secured();
    await expect(readAll({ brokers: sslBrokers, topic, tls: true })).rejects.toMatchObject({ code: 'MR-KAFKA-TLS' });
    await expect(
      readAll({ brokers: sslBrokers, topic, tls: { ca: caFile, serverName: 'elsewhere.example' } }),
    ).rejects.toMatchObject({
      code: 'MR-KAFKA-TLS',
    });
    await expect(readAll({ brokers: sslBrokers, topic, tls: { ca: '/no/such/file' } })).rejects.toMatchObject({
      code: 'MR-KAFKA-TLS',
      message: expect.stringContaining('cannot read `tls.ca` from /no/such/file'),
    });
    expect(await readAll({ brokers: sslBrokers, topic, tls: { verify: false } })).toEqual([]);
  });

  it('where there is none, and none where there is TLS, are told in words', async () => {
    const { sslBrokers, plainBrokers, topic, saslBrokers } = await secured();
    const connectTimeout = '2s';
    await expect(readAll({ brokers: sslBrokers, topic, connectTimeout })).rejects.toThrow(
      /wants? TLS\?|can be reached/,
    );
    await expect(readAll({ brokers: plainBrokers, topic, tls: true, connectTimeout })).rejects.toThrow(
      /TLS|can be reached/,
    );
    await expect(readAll({ brokers: saslBrokers, topic, connectTimeout })).rejects.toThrow(/`sasl`/);
  });
});
