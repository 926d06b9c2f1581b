/** What a cluster consists of, as data: which containers, with which settings. */
export type Role = 'zookeeper' | 'kafka' | 'dispatcher' | 'taskmanager';

export interface ClusterOptions {
  readonly zookeepers: number;
  readonly brokers: number;
  readonly dispatchers: number;
  readonly taskManagers: number;
  /** Brokers and TaskManagers are spread over them in turn. */
  readonly racks: readonly string[];
  /** Per TaskManager; 2 by default. */
  readonly slots?: number;
}

export interface MemberPlan {
  readonly role: Role;
  /** Its container's name, and its host name in the cluster's network. */
  readonly name: string;
  readonly rack: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** Where this machine reaches it; null for what nobody asks from here. */
  readonly port: PortPlan | null;
  /** Whether it has the volume for checkpoints. */
  readonly usesCheckpoints: boolean;
}

interface PortPlan {
  readonly container: number;
  readonly host: number;
}

/** What the processes of a cluster must know to talk to each other, and clients to ask them. */
const RPC_TOKEN = 'tests-of-containers-rpc';
export const REST_TOKEN = 'tests-of-containers-rest';
/** Where the shared volume is. */
export const CHECKPOINTS_FOLDER = '/var/lib/millrace/checkpoints';
/** As whom all images run. */
export const USER_ID = 10001;
/** Open within the containers of brokers, for Kafka's own tool. */
export const JMX_PORT = 9999;

const ZOOKEEPER_PORT = 2181;
const BROKER_PORT = 9092;
const CONTROLLER_PORT = 9093;
/** For clients of this machine. */
const EXTERNAL_PORT = 9094;
const REST_PORT = 8081;
/** Sooner than by default, as a leader that says nothing is waited for so long. */
const SESSION_TIMEOUT = '6s';
const DEFAULT_SLOTS = 2;
const C1_ONLY = '-XX:TieredStopAtLevel=1';

/** How many ports of this machine a cluster takes. */
export function portsNeeded({ brokers, dispatchers }: ClusterOptions): number {
  return brokers + dispatchers;
}

/** What a kind of container has to know of all others. */
interface Names {
  readonly zookeepers: readonly string[];
  readonly brokers: readonly string[];
  readonly prefix: string;
}

/** All containers, in the order in which they start; `ports` are free ones of this machine. */
export function planCluster(prefix: string, options: ClusterOptions, ports: readonly number[]): readonly MemberPlan[] {
  const free = ports.values();
  const nextPort = (container: number): PortPlan => ({ container, host: free.next().value ?? 0 });
  const named = (role: Role, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}-${role}-${index + 1}`);
  const rackOf = (index: number): string | null => options.racks[index % options.racks.length] ?? null;
  const zookeepers = named('zookeeper', options.zookeepers);
  const names: Names = { prefix, zookeepers, brokers: named('kafka', options.brokers) };
  return [
    ...zookeepers.map((name, index) => zookeeperPlan(names, name, index)),
    ...names.brokers.map((name, index) => brokerPlan(names, name, index, rackOf(index), nextPort(EXTERNAL_PORT))),
    ...named('dispatcher', options.dispatchers).map((name) => dispatcherPlan(names, name, nextPort(REST_PORT))),
    ...named('taskmanager', options.taskManagers).map((name, index) =>
      taskManagerPlan(names, name, rackOf(index), options.slots ?? DEFAULT_SLOTS),
    ),
  ];
}

/** As those in the cluster's network reach the brokers. */
export function innerBrokers(members: readonly MemberPlan[]): string {
  return members
    .filter(({ role }) => role === 'kafka')
    .map(({ name }) => `${name}:${BROKER_PORT}`)
    .join();
}

function zookeeperPlan({ zookeepers }: Names, name: string, index: number): MemberPlan {
  return {
    role: 'zookeeper',
    name,
    rack: null,
    environment: {
      ZOO_SERVERS: zookeepers.length > 1 ? zookeepers.join(' ') : '',
      ZOO_MY_ID: String(index + 1),
      JVM_OPTS: `-Xms16m -Xmx64m ${C1_ONLY} -Dzookeeper.forceSync=no`,
    },
    command: [],
    port: null,
    usesCheckpoints: false,
  };
}

function brokerPlan(
  { brokers }: Names,
  name: string,
  index: number,
  rack: string | null,
  port: PortPlan,
): MemberPlan {
  const voters = brokers.map((broker, at) => `${at + 1}@${broker}:${CONTROLLER_PORT}`);
  return {
    role: 'kafka',
    name,
    rack,
    environment: {
      KAFKA_NODE_ID: String(index + 1),
      KAFKA_CONTROLLER_QUORUM_VOTERS: voters.join(),
      KAFKA_LISTENERS: `PLAINTEXT://:${BROKER_PORT},CONTROLLER://:${CONTROLLER_PORT},EXTERNAL://:${EXTERNAL_PORT}`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${name}:${BROKER_PORT},EXTERNAL://127.0.0.1:${port.host}`,
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      HEALTH_BROKERS: String(brokers.length),
      JVM_OPTS: `-Xms128m -Xmx256m ${C1_ONLY}`,
      JMX_PORT: String(JMX_PORT),
      ...(rack === null ? {} : { KAFKA_BROKER_RACK: rack }),
    },
    command: [],
    port,
    usesCheckpoints: false,
  };
}

function engineEnvironment({ zookeepers, prefix }: Names, name: string): Readonly<Record<string, string>> {
  const servers = zookeepers.map((server) => `${server}:${ZOOKEEPER_PORT}`).join();
  return {
    MILLRACE_HA_ZOOKEEPER_CONNECT: `${servers}/${prefix}`,
    MILLRACE_HA_ZOOKEEPER_SESSION_TIMEOUT: SESSION_TIMEOUT,
    MILLRACE_RPC_HOST: '0.0.0.0',
    MILLRACE_RPC_ADVERTISED_HOST: name,
    MILLRACE_RPC_TOKEN: RPC_TOKEN,
    MILLRACE_INSECURE: 'true',
  };
}

function dispatcherPlan(names: Names, name: string, port: PortPlan): MemberPlan {
  return {
    role: 'dispatcher',
    name,
    rack: null,
    environment: {
      ...engineEnvironment(names, name),
      MILLRACE_REST_HOST: '0.0.0.0',
      MILLRACE_REST_ADVERTISED_HOST: name,
      MILLRACE_REST_TOKEN_DEPLOY: REST_TOKEN,
      MILLRACE_CHECKPOINTS_PLACE: CHECKPOINTS_FOLDER,
    },
    command: ['dispatcher'],
    port,
    usesCheckpoints: true,
  };
}

function taskManagerPlan(names: Names, name: string, rack: string | null, slots: number): MemberPlan {
  return {
    role: 'taskmanager',
    name,
    rack,
    environment: {
      ...engineEnvironment(names, name),
      MILLRACE_TASKMANAGER_SLOTS: String(slots),
      ...(rack === null ? {} : { MILLRACE_TASKMANAGER_RACK: rack }),
    },
    command: ['taskmanager'],
    port: null,
    usesCheckpoints: true,
  };
}
