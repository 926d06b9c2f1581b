/* A single ZooKeeper server, with ticks short enough for tests of session expiry. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { ensureArtifact, pinnedVersion, type Progress } from './artifacts.ts';
import { runContainer } from './docker.ts';
import { ServicesError } from './errors.ts';
import { explainHandle, isRunning } from './handles.ts';
import { startDaemon } from './processes.ts';
import { directoryOfServices, type ServicesState, type ZooKeeperState } from './state.ts';
import { waitUntil } from './wait-until.ts';

const READY_TIMEOUT_MS = 60_000;

function zooKeeperDirectory(state: ServicesState): string {
  return join(directoryOfServices(state.name), 'zookeeper');
}

function zooKeeperLog(state: ServicesState): string {
  return join(zooKeeperDirectory(state), 'zookeeper.log');
}

function configuration(zookeeper: ZooKeeperState, directory: string): string {
  return [
    `dataDir=${join(directory, 'data')}`,
    'clientPortAddress=127.0.0.1',
    `clientPort=${String(zookeeper.port)}`,
    'tickTime=500',
    'minSessionTimeout=1000',
    'maxSessionTimeout=60000',
    'maxClientCnxns=0',
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr,ruok,stat,mntr,cons,dump',
    '',
  ].join('\n');
}

/** Writes the configuration and starts the process. Does not wait. */
export async function launchZooKeeper(
  state: ServicesState,
  zookeeper: ZooKeeperState,
  progress: Progress,
): Promise<void> {
  const directory = zooKeeperDirectory(state);
  const file = join(directory, 'zoo.cfg');
  mkdirSync(join(directory, 'data'), { recursive: true });
  writeFileSync(file, configuration(zookeeper, directory));
  if (state.runtime === 'docker') {
    const container = `millrace-${state.name}-zookeeper`;
    await runContainer({
      name: container,
      image: `zookeeper:${pinnedVersion('zookeeper', 'zookeeper')}`,
      directories: [directory],
      script: `ZOO_LOG_DIR='${directory}' exec zkServer.sh start-foreground '${file}'`,
    });
    zookeeper.handle = { kind: 'container', container };
    return;
  }
  const jars = await ensureArtifact('zookeeper', progress);
  const identity = startDaemon({
    command: 'java',
    args: [
      '-Xms32m', '-Xmx256m', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true', '-Dzookeeper.forceSync=no',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
      '-cp', join(jars, '*'), 'org.apache.zookeeper.server.quorum.QuorumPeerMain', file,
    ],
    cwd: directory,
    logFile: zooKeeperLog(state),
  });
  zookeeper.handle = { kind: 'process', ...identity };
}

/** Sends a four-letter command; undefined while the server does not answer. */
function ask(port: number, command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: '127.0.0.1', port });
    socket.setTimeout(2000, () => socket.destroy());
    socket.once('error', () => {
      resolve(undefined);
    });
    socket.once('connect', () => socket.write(command));
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.once('close', () => {
      resolve(answer === '' ? undefined : answer);
    });
  });
}

/** Returns when the server serves sessions. */
export async function awaitZooKeeper(state: ServicesState, zookeeper: ZooKeeperState): Promise<void> {
  const { handle } = zookeeper;
  if (handle === undefined) return;
  try {
    await waitUntil(
      `ZooKeeper of ${state.name} to serve`,
      async () => {
        if (!(await isRunning(handle))) throw new ServicesError('ZooKeeper ended while it started');
        const answer = await ask(zookeeper.port, 'srvr');
        return answer?.includes('Mode: standalone') === true ? true : undefined;
      },
      { timeoutMs: READY_TIMEOUT_MS, intervalMs: 100 },
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ServicesError(`${message}\n${await explainHandle(handle, zooKeeperLog(state))}`, { cause: error });
  }
}
