import { createServer, type AddressInfo } from 'node:net';

import { describe, expect, it, jest } from '@jest/globals';

import { projectRoot, startCommand, startMillrace } from './run-millrace.ts';

jest.setTimeout(60_000);

const ENDLESS = `name: endless
parallelism: 2
steps:
  - id: rows
    source: datagen
    with: {rate: 1000}
    schema: {id: long}
  - id: counts
    key: [id]
    aggregate: {count: COUNT(*)}
  - id: out
    sink: print
`;

describe('an interruption', () => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

  it.each(signals)('by %s cancels the job and leaves nothing running', async (signal) => {
    const job = startMillrace(['run', '-'], { input: ENDLESS });
    await job.saying(/\{"id":/);
    job.signal(signal);
    const { exitCode, errors } = await job.ended;
    expect(exitCode).toBe(130);
    expect(errors).toMatch(/stopping \(once more to stop at once\)\n(.*\n)*.* CANCELED; .*\n$/);
  });

  it('before a connection is there ends the wait for it', async () => {
    // Takes connections and never says a word.
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const args = ['run', 'examples/demo/order-totals.yaml', '--set', `KAFKA_BROKERS=127.0.0.1:${port}`, '--json'];
      const job = startMillrace(args);
      const connected = new Promise((resolve) => server.once('connection', resolve));
      await connected;
      job.signal('SIGINT');
      const { exitCode, output } = await job.ended;
      expect(exitCode).toBe(130);
      expect(JSON.parse(output)).toMatchObject({ state: 'CANCELED' });
    } finally {
      server.close();
    }
  });

  it('by a reader that has seen enough is quiet', async () => {
    const pipe = `${process.execPath} bin/millrace.mjs datagen --field id=long | head -n 2; exit \${PIPESTATUS[0]}`;
    const { exitCode, output, errors } = await startCommand('bash', ['-c', pipe], { folder: projectRoot }).ended;
    expect({ exitCode, errors }).toEqual({ exitCode: 130, errors: '' });
    expect(output.trimEnd().split('\n')).toHaveLength(2);
  });
});
