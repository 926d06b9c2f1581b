/*
 * Real services for development and tests: a Kafka cluster and a ZooKeeper server by name. Every change of a named set
 * happens under its lock and is written down before anything waits, so another command always finds what runs.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';

import { isCached, type Progress } from './artifacts.ts';
import { runDirectory } from './cache.ts';
import { ServicesError, USAGE_EXIT_CODE } from './errors.ts';
import { withFileLock } from './file-lock.ts';
import { isRunning, signalHandle, stopHandle, type StopSignal } from './handles.ts';
import {
  awaitBrokers,
  certificatesFor,
  kafkaArtifact,
  launchBroker,
  RACKS,
  SASL_PASSWORD,
  SASL_USER,
} from './kafka.ts';
import { findPorts } from './ports.ts';
import { isAlive, type ProcessIdentity } from './processes.ts';
import {
  checkName,
  DEFAULT_NAME,
  directoryOfServices,
  knownNames,
  lockOfServices,
  portsLock,
  portsOf,
  readState,
  writeState,
  type BrokerState,
  type Handle,
  type KafkaRelease,
  type ServicesState,
} from './state.ts';
import { awaitS3, launchS3, S3_ACCESS_KEY_ID, S3_BUCKET, S3_SECRET_ACCESS_KEY, s3Endpoint } from './s3.ts';
import { chooseRuntime } from './tools.ts';
import { awaitZooKeeper, launchZooKeeper } from './zookeeper.ts';

export interface ServicesOptions {
  /** Default: `default`. Sets of different names run beside each other. */
  name?: string;
  /** Default: 3.9. */
  kafka?: KafkaRelease;
  /** Default: 1. Three stand in racks a, b and c. */
  brokers?: 0 | 1 | 3;
  /** Default: true. */
  zookeeper?: boolean;
  /** A server that speaks the protocol of S3. Default: false. */
  s3?: boolean;
  /** Adds listeners with SASL, with TLS, and with both. Default: false. */
  secure?: boolean;
  /** More lines for every broker's server.properties; they win over ours. */
  settings?: Readonly<Record<string, string>>;
  /** The services belong to this process: once it is gone, the next start of any set removes them. Default: nobody. */
  owner?: ProcessIdentity;
  /** For sets that live for seconds and are not measured: they start with less work, and are slower at full load. */
  isBrief?: boolean;
  /** Receives what is worth telling a person who waits. Default: nothing is told. */
  progress?: Progress;
}

export interface Services {
  readonly name: string;
  readonly kafka: KafkaRelease;
  /** `host:port,…` for clients in plain text. */
  readonly brokers: string;
  readonly brokerIds: readonly number[];
  /** `host:port`; absent without ZooKeeper. */
  readonly zookeeper?: string;
  readonly security?: SecureServices;
  readonly s3?: S3Services;
  /** Holds configuration, data and logs. */
  readonly directory: string;
}

export interface SecureServices {
  readonly saslBrokers: string;
  readonly sslBrokers: string;
  readonly saslSslBrokers: string;
  /** PEM. */
  readonly caFile: string;
  /** Known to PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly user: string;
  readonly password: string;
}

export interface S3Services {
  /** A URL. Buckets stand in the path. */
  readonly endpoint: string;
  /** Is there. */
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ServicesStatus extends Services {
  readonly processes: readonly { readonly process: string; readonly running: boolean; readonly pid?: number }[];
  /** Whether everything runs. */
  readonly running: boolean;
}

const STOP_GRACE_MS = 10_000;
// Data is deleted next, and the last of three brokers waits in vain for a quorum when it is asked to stop.
const REMOVE_GRACE_MS = 2000;
const silent: Progress = () => undefined;

function addresses(state: ServicesState, listener: 'plaintext' | 'sasl' | 'ssl' | 'saslSsl'): string {
  return state.brokers.map((broker) => `127.0.0.1:${String(broker.ports[listener])}`).join(',');
}

function describe(state: ServicesState): Services {
  return {
    name: state.name,
    kafka: state.kafka,
    brokers: addresses(state, 'plaintext'),
    brokerIds: state.brokers.map((broker) => broker.id),
    ...(state.zookeeper === undefined ? {} : { zookeeper: `127.0.0.1:${String(state.zookeeper.port)}` }),
    ...(state.security === undefined
      ? {}
      : {
          security: {
            saslBrokers: addresses(state, 'sasl'),
            sslBrokers: addresses(state, 'ssl'),
            saslSslBrokers: addresses(state, 'saslSsl'),
            ...state.security,
          },
        }),
    ...(state.s3 === undefined
      ? {}
      : {
          s3: {
            endpoint: s3Endpoint(state.s3),
            bucket: S3_BUCKET,
            accessKeyId: S3_ACCESS_KEY_ID,
            secretAccessKey: S3_SECRET_ACCESS_KEY,
          },
        }),
    directory: directoryOfServices(state.name),
  };
}

function withServicesLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  checkName(name);
  return withFileLock(lockOfServices(name), work);
}

function requireState(name: string): ServicesState {
  const state = readState(name);
  if (state === undefined) {
    throw new ServicesError(`no services named ${name}; start them with: npm run services -- up --name ${name}`, {
      exitCode: USAGE_EXIT_CODE,
    });
  }
  return state;
}

/** Every process of the set with a name for people; ZooKeeper last, as it stops last. */
function members(state: ServicesState): { label: string; member: { handle?: Handle } }[] {
  const brokers = state.brokers.map((broker) => ({ label: `broker-${String(broker.id)}`, member: broker }));
  return [
    ...brokers,
    ...(state.s3 === undefined ? [] : [{ label: 's3', member: state.s3 }]),
    ...(state.zookeeper === undefined ? [] : [{ label: 'zookeeper', member: state.zookeeper }]),
  ];
}

async function memberRuns(member: { handle?: Handle }): Promise<boolean> {
  return member.handle !== undefined && (await isRunning(member.handle));
}

async function removeServices(state: ServicesState): Promise<void> {
  await Promise.all(
    members(state).map(async ({ member }) => {
      if (member.handle !== undefined) await stopHandle(member.handle, 'SIGTERM', REMOVE_GRACE_MS);
    }),
  );
  rmSync(directoryOfServices(state.name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function isOrphan(state: ServicesState | undefined): boolean {
  return state?.owner !== undefined && !isAlive(state.owner);
}

/** Stops and removes sets whose owner ended without doing so. */
async function removeOrphans(progress: Progress): Promise<void> {
  for (const name of knownNames()) {
    if (!isOrphan(readState(name))) continue;
    progress(`removing ${name}: the process that it belonged to has ended`);
    await withServicesLock(name, async () => {
      const state = readState(name);
      if (state !== undefined && isOrphan(state)) await removeServices(state);
    });
  }
}

/** Kafka's form of an id: 16 bytes in base64, not beginning with a dash, which its tools take for an option. */
function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('base64url');
}

async function claim(options: ServicesOptions, name: string): Promise<ServicesState> {
  const release = options.kafka ?? '3.9';
  const count = options.brokers ?? 1;
  const zookeeper = options.zookeeper ?? true;
  const s3 = options.s3 ?? false;
  const needed = [
    ...(count > 0 ? [kafkaArtifact(release)] : []),
    ...(zookeeper ? (['zookeeper'] as const) : []),
    ...(s3 ? (['s3proxy'] as const) : []),
  ];
  const runtime = await chooseRuntime(needed.every(isCached));
  const certificates = options.secure === true ? await certificatesFor({ runtime, kafka: release, name }) : undefined;
  return withFileLock(portsLock(), async () => {
    const states = knownNames().map((each) => readState(each));
    const taken = new Set(states.flatMap((each) => (each === undefined ? [] : portsOf(each))));
    const perBroker = certificates === undefined ? 2 : 5;
    const ports = await findPorts(count * perBroker + (zookeeper ? 1 : 0) + (s3 ? 1 : 0), taken);
    const next = (): number => {
      const port = ports.pop();
      if (port === undefined) throw new Error('fewer ports were found than asked for');
      return port;
    };
    const state: ServicesState = {
      format: 1,
      name,
      runtime,
      kafka: release,
      clusterId: newClusterId(),
      settings: options.settings ?? {},
      ...(options.owner === undefined ? {} : { owner: options.owner }),
      ...(options.isBrief === true ? { isBrief: true } : {}),
      ...(certificates === undefined
        ? {}
        : { security: { caFile: certificates.caFile, user: SASL_USER, password: SASL_PASSWORD } }),
      brokers: Array.from({ length: count }, (_, index): BrokerState => {
        const ports = { plaintext: next(), controller: next() };
        return {
          id: index + 1,
          rack: RACKS[index % RACKS.length] ?? RACKS[0],
          ports: certificates === undefined ? ports : { ...ports, sasl: next(), ssl: next(), saslSsl: next() },
        };
      }),
      ...(zookeeper ? { zookeeper: { port: next() } } : {}),
      ...(s3 ? { s3: { port: next() } } : {}),
    };
    writeState(state);
    return state;
  });
}

/** Starts whatever of the set does not run, and returns when all of it serves. */
async function launchMissing(state: ServicesState, progress: Progress): Promise<void> {
  const { brokers, zookeeper, s3 } = state;
  const launch = async (member: { handle?: Handle }, start: () => Promise<void>): Promise<void> => {
    if (await memberRuns(member)) return;
    await start();
    writeState(state);
  };
  await Promise.all([
    ...brokers.map((broker) => launch(broker, () => launchBroker(state, broker, progress))),
    ...(zookeeper === undefined ? [] : [launch(zookeeper, () => launchZooKeeper(state, zookeeper, progress))]),
    ...(s3 === undefined ? [] : [launch(s3, () => launchS3(state, s3, progress))]),
  ]);
  await Promise.all([
    awaitBrokers(state),
    ...(zookeeper === undefined ? [] : [awaitZooKeeper(state, zookeeper)]),
    ...(s3 === undefined ? [] : [awaitS3(state, s3)]),
  ]);
}

function checkSame(state: ServicesState, options: ServicesOptions): void {
  const differences: string[] = [];
  const compare = (what: string, wanted: unknown, present: unknown): void => {
    if (wanted !== undefined && wanted !== present) {
      differences.push(`${what} is ${JSON.stringify(present)}, not ${JSON.stringify(wanted)}`);
    }
  };
  compare('Kafka', options.kafka, state.kafka);
  compare('the number of brokers', options.brokers, state.brokers.length);
  compare('ZooKeeper', options.zookeeper, state.zookeeper !== undefined);
  compare('S3', options.s3, state.s3 !== undefined);
  compare('secure', options.secure, state.security !== undefined);
  if (options.settings !== undefined) {
    compare('settings', JSON.stringify(options.settings), JSON.stringify(state.settings));
  }
  if (differences.length > 0) {
    throw new ServicesError(
      `${state.name} is up already, otherwise: ${differences.join('; ')}. Stop it first, or choose another --name`,
      { exitCode: USAGE_EXIT_CODE },
    );
  }
}

/**
 * Starts a set of services and returns when all of it serves. When the set is up, nothing is started; members of it
 * that died are started again with their data; when all of it is dead, it is removed and started anew. After a failed
 * start nothing is left.
 */
export async function startServices(options: ServicesOptions = {}): Promise<Services> {
  const name = options.name ?? DEFAULT_NAME;
  const progress = options.progress ?? silent;
  checkName(name);
  mkdirSync(runDirectory(), { recursive: true });
  await removeOrphans(progress);
  return withServicesLock(name, async () => {
    const existing = readState(name);
    if (existing !== undefined) {
      const alive = await Promise.all(members(existing).map(({ member }) => memberRuns(member)));
      if (alive.includes(true)) {
        checkSame(existing, options);
        await launchMissing(existing, progress);
        return describe(existing);
      }
      progress(`${name}: nothing of it runs any more; starting anew`);
      await removeServices(existing);
    }
    const state = await claim(options, name);
    try {
      await launchMissing(state, progress);
    } catch (error) {
      await removeServices(state);
      throw error;
    }
    return describe(state);
  });
}

/** Stops every process of the set and deletes its data. Returns whether there was one. */
export function stopServices(name: string = DEFAULT_NAME): Promise<boolean> {
  return withServicesLock(name, async () => {
    const state = readState(name);
    if (state === undefined) return false;
    await removeServices(state);
    return true;
  });
}

/** Stops every set that this cache directory knows. Returns their names. */
export async function stopAllServices(): Promise<string[]> {
  const names = knownNames();
  await Promise.all(names.map((name) => stopServices(name)));
  return names;
}

/** What a set consists of and whether it runs; undefined when there is none of this name. */
export async function servicesStatus(name: string = DEFAULT_NAME): Promise<ServicesStatus | undefined> {
  checkName(name);
  const state = readState(name);
  if (state === undefined) return undefined;
  const processes = await Promise.all(
    members(state).map(async ({ label, member }) => ({
      process: label,
      running: await memberRuns(member),
      ...(member.handle?.kind === 'process' ? { pid: member.handle.pid } : {}),
    })),
  );
  return { ...describe(state), processes, running: processes.every((each) => each.running) };
}

export async function listServices(): Promise<ServicesStatus[]> {
  const all = await Promise.all(knownNames().map((name) => servicesStatus(name)));
  return all.filter((status) => status !== undefined);
}

/** `broker-1`, `broker-2`, `broker-3` or `zookeeper`. */
export type Member = `broker-${number}` | 'zookeeper';

function findMember(state: ServicesState, label: Member): { handle?: Handle } {
  const found = members(state).find((each) => each.label === label);
  if (found === undefined) {
    throw new ServicesError(`${state.name} has no ${label}`, { exitCode: USAGE_EXIT_CODE });
  }
  return found.member;
}

/** Stops one process of a set; its port and data stay reserved for `startMember`. */
export function stopMember(name: string, label: Member, options: { signal?: StopSignal } = {}): Promise<void> {
  return withServicesLock(name, async () => {
    const state = requireState(name);
    const member = findMember(state, label);
    if (member.handle !== undefined) await stopHandle(member.handle, options.signal ?? 'SIGTERM', STOP_GRACE_MS);
    delete member.handle;
    writeState(state);
  });
}

/** Starts a stopped process of a set on its old port with its old data; returns when it serves. */
export function startMember(name: string, label: Member, options: { progress?: Progress } = {}): Promise<void> {
  return withServicesLock(name, async () => {
    const state = requireState(name);
    const progress = options.progress ?? silent;
    const member = findMember(state, label);
    if (!(await memberRuns(member))) {
      const broker = state.brokers.find((each) => each === member);
      if (broker !== undefined) await launchBroker(state, broker, progress);
      else if (state.zookeeper !== undefined) await launchZooKeeper(state, state.zookeeper, progress);
      writeState(state);
    }
    if (label === 'zookeeper') {
      if (state.zookeeper !== undefined) await awaitZooKeeper(state, state.zookeeper);
    } else await awaitBrokers(state);
  });
}

/** Sends a signal to one process of a set: SIGSTOP freezes it, SIGCONT lets it go on. */
export async function signalMember(name: string, label: Member, signal: NodeJS.Signals): Promise<void> {
  const { handle } = findMember(requireState(name), label);
  if (handle === undefined) throw new ServicesError(`${label} of ${name} is stopped`);
  await signalHandle(handle, signal);
}

/** Stops a broker with the signal and starts it again on the same port with its data. */
export async function restartBroker(name: string, id: number, options: { signal?: StopSignal } = {}): Promise<void> {
  await stopMember(name, `broker-${id}`, options);
  await startMember(name, `broker-${id}`);
}

/** Stops the ZooKeeper server with the signal and starts it again on the same port with its data. */
export async function restartZooKeeper(name: string, options: { signal?: StopSignal } = {}): Promise<void> {
  await stopMember(name, 'zookeeper', options);
  await startMember(name, 'zookeeper');
}

/** `NAME=value` pairs for a shell. */
export function environmentOf(services: Services): Record<string, string> {
  const { security, s3 } = services;
  return {
    KAFKA_BROKERS: services.brokers,
    ...(services.zookeeper === undefined ? {} : { ZOOKEEPER: services.zookeeper }),
    ...(s3 === undefined
      ? {}
      : {
          S3_ENDPOINT: s3.endpoint,
          S3_STORAGE: `s3://${s3.bucket}`,
          S3_ACCESS_KEY: s3.accessKeyId,
          S3_SECRET_KEY: s3.secretAccessKey,
        }),
    ...(security === undefined
      ? {}
      : {
          KAFKA_SASL_BROKERS: security.saslBrokers,
          KAFKA_SSL_BROKERS: security.sslBrokers,
          KAFKA_SASL_SSL_BROKERS: security.saslSslBrokers,
          KAFKA_CA_FILE: security.caFile,
          KAFKA_USER: security.user,
          KAFKA_PASSWORD: security.password,
        }),
  };
}
