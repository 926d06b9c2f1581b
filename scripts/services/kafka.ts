/*
 * Kafka brokers in KRaft mode. Each is broker and controller at once, so a cluster of three survives the loss of any
 * one of them. Brokers talk to each other in plain text; the secured listeners are for clients only.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ensureArtifact, pinnedVersion, type Progress } from './artifacts.ts';
import { ensureCertificates, type Certificates } from './certificates.ts';
import { runContainer } from './docker.ts';
import { ServicesError } from './errors.ts';
import { explainHandle, isRunning } from './handles.ts';
import { fetchMetadata } from './metadata-request.ts';
import { startDaemon } from './processes.ts';
import { directoryOfServices, type BrokerState, type Handle, type KafkaRelease, type ServicesState } from './state.ts';
import { waitUntil } from './wait-until.ts';

export const KAFKA_RELEASES: readonly KafkaRelease[] = ['3.9', '4.1'];
export const RACKS = ['a', 'b', 'c'] as const;
export const SASL_USER = 'alice';
export const SASL_PASSWORD = 'alice-secret';

const LOOPBACK = '127.0.0.1';
const READY_TIMEOUT_MS = 60_000;

export function kafkaArtifact(release: KafkaRelease): 'kafka-3.9' | 'kafka-4.1' {
  return `kafka-${release}`;
}

function kafkaImage(release: KafkaRelease): string {
  return `apache/kafka:${pinnedVersion(kafkaArtifact(release), 'kafka_2.13')}`;
}

function brokerDirectory(state: ServicesState, broker: BrokerState): string {
  return join(directoryOfServices(state.name), `broker-${String(broker.id)}`);
}

function brokerLog(state: ServicesState, broker: BrokerState): string {
  return join(brokerDirectory(state, broker), 'broker.log');
}

function listenersOf(broker: BrokerState): { name: string; protocol: string; port: number }[] {
  const { plaintext, controller, sasl, ssl, saslSsl } = broker.ports;
  const listeners = [
    { name: 'PLAINTEXT', protocol: 'PLAINTEXT', port: plaintext },
    { name: 'CONTROLLER', protocol: 'PLAINTEXT', port: controller },
  ];
  if (sasl !== undefined) listeners.push({ name: 'SASL', protocol: 'SASL_PLAINTEXT', port: sasl });
  if (ssl !== undefined) listeners.push({ name: 'SSL', protocol: 'SSL', port: ssl });
  if (saslSsl !== undefined) listeners.push({ name: 'SASLSSL', protocol: 'SASL_SSL', port: saslSsl });
  return listeners;
}

function securitySettings(certificates: Certificates): Record<string, string> {
  const settings: Record<string, string> = {
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': certificates.keystoreFile,
    'ssl.keystore.password': certificates.storePassword,
    'ssl.key.password': certificates.storePassword,
    'ssl.client.auth': 'none',
  };
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  for (const listener of ['sasl', 'saslssl']) {
    const prefix = `listener.name.${listener}`;
    settings[`${prefix}.sasl.enabled.mechanisms`] = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512';
    settings[`${prefix}.plain.sasl.jaas.config`] = `${plain} user_${SASL_USER}="${SASL_PASSWORD}";`;
    settings[`${prefix}.scram-sha-256.sasl.jaas.config`] = scram;
    settings[`${prefix}.scram-sha-512.sasl.jaas.config`] = scram;
  }
  return settings;
}

/** The content of a broker's server.properties as a table. */
export function brokerSettings(
  state: ServicesState,
  broker: BrokerState,
  certificates: Certificates | undefined,
): Record<string, string> {
  const listeners = listenersOf(broker);
  const address = (listener: { name: string; port: number }): string =>
    `${listener.name}://${LOOPBACK}:${String(listener.port)}`;
  const replicas = String(Math.min(3, state.brokers.length));
  const inSync = String(Math.max(1, Math.min(3, state.brokers.length) - 1));
  return {
    'process.roles': 'broker,controller',
    'node.id': String(broker.id),
    'broker.rack': broker.rack,
    'controller.quorum.voters': state.brokers
      .map((each) => `${String(each.id)}@${LOOPBACK}:${String(each.ports.controller)}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listeners': listeners.map(address).join(','),
    'advertised.listeners': listeners.filter((each) => each.name !== 'CONTROLLER').map(address).join(','),
    'listener.security.protocol.map': listeners.map((each) => `${each.name}:${each.protocol}`).join(','),
    'log.dirs': join(brokerDirectory(state, broker), 'data'),
    'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    // A broker that was killed is noticed sooner than by default, so failover tests are short.
    'broker.heartbeat.interval.ms': '1000',
    'broker.session.timeout.ms': '6000',
    // A record of 10 MB fits.
    'message.max.bytes': '20971520',
    'replica.fetch.max.bytes': '20971520',
    // Tests and benchmarks write event times of years ago, which retention would delete within minutes.
    'log.retention.ms': '-1',
    'file.delete.delay.ms': '1000',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'log.cleaner.dedupe.buffer.size': '8388608',
    ...(certificates === undefined ? {} : securitySettings(certificates)),
    ...state.settings,
  };
}

export function renderProperties(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}

function formatArguments(state: ServicesState, propertiesFile: string): string[] {
  const args = ['format', '--ignore-formatted', '--cluster-id', state.clusterId, '--config', propertiesFile];
  if (state.security !== undefined) {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      args.push('--add-scram', `${mechanism}=[name=${SASL_USER},password=${SASL_PASSWORD}]`);
    }
  }
  return args;
}

const JVM_FLAGS = ['-Xms64m', '-Xmx640m', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true'];
/** Without the compiler whose work pays off after a minute of load. */
const BRIEF_FLAGS = ['-XX:TieredStopAtLevel=1'];
const LOG_FLAGS = [
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
];

function format(state: ServicesState, jars: string, propertiesFile: string): Promise<void> {
  const args = [
    '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), 'kafka.tools.StorageTool',
    ...formatArguments(state, propertiesFile),
  ];
  return new Promise((resolve, reject) => {
    execFile('java', args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new ServicesError(`could not format a broker's storage: ${`${stdout}${stderr}`.trim()}`));
    });
  });
}

function quote(argument: string): string {
  return `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}

async function startInDocker(state: ServicesState, broker: BrokerState, propertiesFile: string): Promise<Handle> {
  const formatting = formatArguments(state, propertiesFile).map(quote).join(' ');
  const container = `millrace-${state.name}-broker-${String(broker.id)}`;
  await runContainer({
    name: container,
    image: kafkaImage(state.kafka),
    directories: [brokerDirectory(state, broker), ...(state.security === undefined ? [] : [dirOfCertificates(state)])],
    script:
      `/opt/kafka/bin/kafka-storage.sh ${formatting} && ` +
      `LOG_DIR=${quote(brokerDirectory(state, broker))} KAFKA_HEAP_OPTS='-Xms64m -Xmx640m' ` +
      `exec /opt/kafka/bin/kafka-server-start.sh ${quote(propertiesFile)}`,
  });
  return { kind: 'container', container };
}

function dirOfCertificates(state: ServicesState): string {
  return join(state.security?.caFile ?? '', '..');
}

/** Certificates made with whatever this machine has: its own keytool, or the one in Kafka's image. */
export function certificatesFor(state: Pick<ServicesState, 'runtime' | 'kafka' | 'name'>): Promise<Certificates> {
  if (state.runtime === 'java') return ensureCertificates();
  return ensureCertificates(async (args, directory) => {
    await runContainer({
      name: `millrace-${state.name}-keytool`,
      image: kafkaImage(state.kafka),
      directories: [directory],
      script: ['keytool', ...args].map(quote).join(' '),
      wait: true,
    });
  });
}

/** Writes the configuration, formats the storage on the first start, and starts the process. Does not wait. */
export async function launchBroker(state: ServicesState, broker: BrokerState, progress: Progress): Promise<void> {
  const directory = brokerDirectory(state, broker);
  const propertiesFile = join(directory, 'server.properties');
  mkdirSync(directory, { recursive: true });
  const certificates = state.security === undefined ? undefined : await certificatesFor(state);
  writeFileSync(propertiesFile, renderProperties(brokerSettings(state, broker, certificates)));
  if (state.runtime === 'docker') {
    broker.handle = await startInDocker(state, broker, propertiesFile);
    return;
  }
  const jars = await ensureArtifact(kafkaArtifact(state.kafka), progress);
  if (!existsSync(join(directory, 'data', 'meta.properties'))) await format(state, jars, propertiesFile);
  const flags = [...JVM_FLAGS, ...(state.isBrief === true ? BRIEF_FLAGS : []), ...LOG_FLAGS];
  const identity = startDaemon({
    command: 'java',
    args: [...flags, '-cp', join(jars, '*'), 'kafka.Kafka', propertiesFile],
    cwd: directory,
    logFile: brokerLog(state, broker),
  });
  broker.handle = { kind: 'process', ...identity };
}

/** Returns when every broker that has a handle sees all of them alive. */
export async function awaitBrokers(state: ServicesState): Promise<void> {
  const running = state.brokers.filter((broker) => broker.handle !== undefined);
  const expected = running.map((broker) => broker.id).sort((left, right) => left - right).join();
  await Promise.all(
    running.map(async (broker) => {
      const { handle } = broker;
      if (handle === undefined) return;
      let last = 'nothing';
      const explanation = (): Promise<string> => explainHandle(handle, brokerLog(state, broker));
      try {
        await waitUntil(
          `broker ${String(broker.id)} of ${state.name} to see brokers ${expected}`,
          async () => {
            if (!(await isRunning(handle))) {
              throw new ServicesError(`broker ${String(broker.id)} ended while it started`);
            }
            const metadata = await fetchMetadata(broker.ports.plaintext);
            if (metadata === undefined) return undefined;
            last = metadata.brokerIds.toSorted((left, right) => left - right).join();
            return last === expected ? true : undefined;
          },
          { timeoutMs: READY_TIMEOUT_MS, intervalMs: 100 },
        );
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new ServicesError(`${message}; it saw ${last}\n${await explanation()}`, { cause: error });
      }
    }),
  );
}

