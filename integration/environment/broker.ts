/*
 * One set of services per kind for a whole test run: the first suite that needs a kind starts it, others wait for it
 * and share it, the teardown stops it. It belongs to the runner's process, so a killed run leaves nothing for long.
 */
import {
  identifyProcess,
  isAlive,
  listServices,
  startServices,
  stopServices,
  type KafkaRelease,
  type ProcessIdentity,
  type S3Services,
  type Services,
} from '../../scripts/services/index.ts';

/** Set by the global setup for the workers: run name, and identity of the runner's process. */
const RUN_VARIABLE = 'MILLRACE_TEST_RUN';

interface TestRun {
  prefix: string;
  owner: ProcessIdentity;
}

function newRun(): TestRun {
  const owner = identifyProcess(process.pid);
  if (owner === undefined) throw new Error('this process cannot read its own start time');
  return { prefix: `test-${String(process.pid)}`, owner };
}

function currentRun(): TestRun {
  const told = process.env[RUN_VARIABLE];
  if (told === undefined) return newRun();
  const run = JSON.parse(told) as TestRun;
  return isAlive(run.owner) ? run : newRun();
}

/** Names the run; called once, in the runner's process, before any suite. */
export function beginTestRun(): void {
  process.env[RUN_VARIABLE] = JSON.stringify(newRun());
}

/** Private sets of this suite: Jest gives each suite its own instance of this module. */
const privateSets = new Set<string>();

/** Stops the suite's private sets, so that they do not take part of the machine from the suites after it. */
export async function endSuite(): Promise<void> {
  const names = [...privateSets];
  privateSets.clear();
  await Promise.all(names.map((name) => stopServices(name)));
}

/** Stops whatever the run's suites started. */
export async function endTestRun(): Promise<void> {
  const { prefix } = currentRun();
  const started = (await listServices()).map((status) => status.name);
  await Promise.all(started.filter((name) => name.startsWith(`${prefix}-`)).map((name) => stopServices(name)));
  Reflect.deleteProperty(process.env, RUN_VARIABLE);
}

export interface BrokerOptions {
  /** Default: 3.9. */
  kafka?: KafkaRelease;
  /** Default: 1. */
  brokers?: 0 | 1 | 3;
  /** Default: false. */
  zookeeper?: boolean;
  /** Default: false. */
  secure?: boolean;
  /** A set of this suite's own, for suites that stop brokers; it ends with the suite. Default: shared by all suites. */
  private?: string;
}

/** The shared services of this kind, started on first need. A test that uses them makes its own topics. */
export function getBroker(options: BrokerOptions = {}): Promise<Services> {
  const { kafka = '3.9', brokers = 1, zookeeper = false, secure = false } = options;
  const run = currentRun();
  const kind = [
    kafka.replace('.', ''),
    String(brokers),
    ...(zookeeper ? ['zk'] : []),
    ...(secure ? ['secure'] : []),
    ...(options.private === undefined ? [] : [options.private]),
  ].join('-');
  const name = `${run.prefix}-${kind}`;
  if (options.private !== undefined) privateSets.add(name);
  return startServices({ name, kafka, brokers, zookeeper, secure, owner: run.owner, isBrief: true });
}

/** The shared server that speaks the protocol of S3, started on first need. A test that uses it has its own prefix. */
export async function getS3(): Promise<S3Services> {
  const { prefix, owner } = currentRun();
  const { s3 } = await startServices({ name: `${prefix}-s3`, brokers: 0, zookeeper: false, s3: true, owner });
  if (s3 === undefined) throw new Error('services without the S3 that was asked for');
  return s3;
}
