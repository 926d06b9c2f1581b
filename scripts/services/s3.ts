/* A server that speaks the protocol of S3 (S3Proxy), over a directory. It knows one user, and one bucket. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ensureArtifact, type Progress } from './artifacts.ts';
import { ServicesError } from './errors.ts';
import { explainHandle, isRunning } from './handles.ts';
import { startDaemon } from './processes.ts';
import { directoryOfServices, type S3State, type ServicesState } from './state.ts';
import { waitUntil } from './wait-until.ts';

/** They protect nothing. */
export const S3_ACCESS_KEY_ID = 'millrace';
export const S3_SECRET_ACCESS_KEY = 'millrace-secret';
export const S3_BUCKET = 'checkpoints';

const READY_TIMEOUT_MS = 60_000;

function s3Directory(state: ServicesState): string {
  return join(directoryOfServices(state.name), 's3');
}

function s3Log(state: ServicesState): string {
  return join(s3Directory(state), 's3.log');
}

export function s3Endpoint({ port }: S3State): string {
  return `http://127.0.0.1:${String(port)}`;
}

const LOGGING = `<configuration>
  <appender name="log" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %logger{20} - %msg%n</pattern></encoder>
  </appender>
  <root level="warn"><appender-ref ref="log"/></root>
</configuration>
`;

/** Writes the configuration and starts the process. Does not wait. */
export async function launchS3(state: ServicesState, s3: S3State, progress: Progress): Promise<void> {
  if (state.runtime === 'docker') throw new ServicesError('S3 needs Java with Maven: it is not run by a Docker engine');
  const directory = s3Directory(state);
  const data = join(directory, 'data');
  const [file, logging] = [join(directory, 's3proxy.conf'), join(directory, 'logback.xml')];
  // A directory in that of the data is a bucket.
  mkdirSync(join(data, S3_BUCKET), { recursive: true });
  writeFileSync(logging, LOGGING);
  writeFileSync(
    file,
    [
      `s3proxy.endpoint=${s3Endpoint(s3)}`,
      's3proxy.authorization=aws-v2-or-v4',
      `s3proxy.identity=${S3_ACCESS_KEY_ID}`,
      `s3proxy.credential=${S3_SECRET_ACCESS_KEY}`,
      'jclouds.provider=filesystem-nio2',
      `jclouds.filesystem.basedir=${data}`,
      '',
    ].join('\n'),
  );
  const jars = await ensureArtifact('s3proxy', progress);
  const identity = startDaemon({
    command: 'java',
    args: [
      '-Xms32m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.net.preferIPv4Stack=true',
      `-Dlogback.configurationFile=${logging}`,
      '-cp', join(jars, '*'), 'org.gaul.s3proxy.Main', '--properties', file,
    ],
    cwd: directory,
    logFile: s3Log(state),
  });
  s3.handle = { kind: 'process', ...identity };
}

/** Whether it answers at all: it refuses whoever does not sign. */
async function answers(s3: S3State): Promise<true | undefined> {
  try {
    const response = await fetch(s3Endpoint(s3), { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return true;
  } catch {
    return undefined;
  }
}

/** Returns when the server answers. */
export async function awaitS3(state: ServicesState, s3: S3State): Promise<void> {
  const { handle } = s3;
  if (handle === undefined) return;
  try {
    await waitUntil(
      `S3 of ${state.name} to answer`,
      async () => {
        if (!(await isRunning(handle))) throw new ServicesError('the S3 server ended while it started');
        return answers(s3);
      },
      { timeoutMs: READY_TIMEOUT_MS, intervalMs: 100 },
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ServicesError(`${message}\n${await explainHandle(handle, s3Log(state))}`, { cause: error });
  }
}
