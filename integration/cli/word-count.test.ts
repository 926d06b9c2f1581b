import { createServer, type AddressInfo } from 'node:net';

import { describe, expect, it } from '@jest/globals';

import { jsonLines, runMillrace } from './run-millrace.ts';

/** Serves these chunks to the first that connects, then closes. */
async function withServer<T>(chunks: readonly string[], use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((socket) => {
    for (const chunk of chunks) socket.write(chunk);
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

describe('examples/word-count.yaml', () => {
  it('prints a line per word and ends when the socket closes', async () => {
    const { exitCode, output, errors } = await withServer(['to be or', ' not to be\nthat is', '\n'], (port) =>
      runMillrace(['run', 'examples/word-count.yaml', '--set', 'HOST=127.0.0.1', '--set', `PORT=${port}`]),
    );
    expect(exitCode).toBe(0);
    expect(errors).toMatch(/^running.*\n(.* RUNNING; .*\n)*.* FINISHED; .*\n$/);
    expect(jsonLines(output)).toEqual([
      { word: 'to', count: 1 },
      { word: 'be', count: 1 },
      { word: 'or', count: 1 },
      { word: 'not', count: 1 },
      { word: 'to', count: 2 },
      { word: 'be', count: 2 },
      { word: 'that', count: 1 },
      { word: 'is', count: 1 },
    ]);
  });

  it('takes its variables from the environment too, and misses them otherwise', async () => {
    const { exitCode, output } = await withServer(['a\n'], (port) =>
      runMillrace(['run', 'examples/word-count.yaml'], { environment: { HOST: '127.0.0.1', PORT: String(port) } }),
    );
    expect({ exitCode, lines: jsonLines(output) }).toEqual({ exitCode: 0, lines: [{ word: 'a', count: 1 }] });
    const missing = await runMillrace(['lint', 'examples/word-count.yaml'], { environment: { HOST: '', PORT: '' } });
    expect(missing.exitCode).toBe(2);
  });

  it('fails with the address where nobody listens', async () => {
    const args = ['run', 'examples/word-count.yaml', '--set', 'HOST=127.0.0.1', '--set', 'PORT=1'];
    const { exitCode, output, errors } = await runMillrace(args);
    expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' });
    expect(errors).toMatch(/error MR-[A-Z-]+: .*127\.0\.0\.1:1/);
    expect(errors).not.toMatch(/\n\s+at /);
  });
});
