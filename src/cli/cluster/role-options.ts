/** How the processes of a cluster are configured: by flags, variables `MILLRACE_*`, and `millrace.yaml`. */
import { defineOptions, parseStorageLocation, type OptionValue, type OptionValues } from '../../core/index.ts';

const LAST_PORT = 65_535;

const port = { kind: 'integer', min: 0, max: LAST_PORT, scope: 'cluster' } as const;
const duration = { kind: 'duration', scope: 'cluster' } as const;
const text = { kind: 'string', scope: 'cluster' } as const;
const secret = { ...text, secret: true } as const;

const token = { ...secret, validate: tokenProblem } as const;
/** A token goes into a header, and is no word that could be guessed. */
const SHORTEST_TOKEN = 16;

function tokenProblem(value: OptionValue): string | null {
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) return 'must be of printable characters, no blanks';
  return value.length < SHORTEST_TOKEN ? `must have at least ${SHORTEST_TOKEN} characters` : null;
}

function placeProblem(value: OptionValue): string | null {
  const place = parseStorageLocation(typeof value === 'string' ? value : '');
  return place.kind === 'unusable' ? place.problem : null;
}

function urlProblem(value: OptionValue): string | null {
  return typeof value === 'string' && URL.canParse(value) ? null : 'must be a URL such as https://s3.example.com';
}

/** What every process of a cluster is told alike: how they find each other, and how they trust each other. */
export const clusterOptions = defineOptions({
  'ha.zookeeper.connect': {
    ...text,
    aliases: ['high-availability.zookeeper.quorum', 'zookeeper.connect', 'zookeeper.quorum'],
    doc: 'servers and folder of ZooKeeper: `HOST:PORT,HOST:PORT/FOLDER`; one folder a cluster',
  },
  'ha.zookeeper.session-timeout': {
    ...duration,
    default: '10s',
    aliases: ['high-availability.zookeeper.client.session-timeout', 'zookeeper.session.timeout.ms'],
    doc: 'a leader that falls silent is waited for so long',
  },
  'ha.zookeeper.user': { ...text, doc: 'who asks ZooKeeper (digest authentication)' },
  'ha.zookeeper.password': { ...secret, doc: 'the password of `ha.zookeeper.user`' },
  'ha.zookeeper.acl': {
    kind: 'enum',
    values: ['world', 'creator-all'],
    default: 'world',
    scope: 'cluster',
    aliases: ['high-availability.zookeeper.client.acl'],
    doc: 'creator-all: what the cluster keeps in ZooKeeper can be read and written by `ha.zookeeper.user` alone',
  },
  'ha.directory': {
    ...text,
    aliases: ['high-availability.storageDir'],
    doc: 'instead of ZooKeeper, for processes of one machine: a folder that all of them share',
  },
  'rpc.host': {
    ...text,
    default: '127.0.0.1',
    aliases: ['jobmanager.rpc.address', 'jobmanager.bind-host', 'taskmanager.bind-host'],
    doc: 'the address on which the process listens for the others',
  },
  'rpc.port': {
    ...port,
    default: 0,
    aliases: ['jobmanager.rpc.port', 'taskmanager.rpc.port'],
    doc: 'the port that goes with it; 0 for any',
  },
  'rpc.advertised-host': {
    ...text,
    aliases: ['taskmanager.host', 'advertised.listeners'],
    doc: 'the name by which the others reach it; without it `rpc.host`',
  },
  'rpc.advertised-port': {
    ...port,
    min: 1,
    doc: 'the port that goes with it, where something forwards it to `rpc.port`; without it `rpc.port`',
  },
  'rpc.token': { ...token, doc: 'the same for all processes of a cluster: what each must know to talk to the others' },
  'tls.cert': { ...text, doc: 'PEM file with the certificate of the process, for RPC, data and REST' },
  'tls.key': { ...text, doc: 'PEM file with the key of `tls.cert`' },
  'tls.ca': { ...text, doc: 'PEM file with the authority that has signed the certificates of all processes' },
  'insecure': {
    kind: 'boolean',
    default: false,
    scope: 'cluster',
    doc: 'listens in plain text on other addresses than loopback: for networks that are safe by other means',
  },
  'log.format': {
    kind: 'enum',
    values: ['text', 'json'],
    default: 'text',
    scope: 'cluster',
    doc: 'how the lines on standard error are written',
  },
});

/** What a Dispatcher is told beside clusterOptions. */
export const dispatcherRoleOptions = defineOptions({
  'rest.host': {
    ...text,
    default: '127.0.0.1',
    aliases: ['rest.bind-address', 'rest.address'],
    doc: 'the address on which REST API and status page are served',
  },
  'rest.port': {
    ...port,
    default: 8081,
    aliases: ['rest.bind-port', 'web.port'],
    doc: 'the port that goes with it; 0 for any',
  },
  'rest.advertised-host': { ...text, doc: 'the name by which clients reach it; without it `rest.host`' },
  'rest.token.deploy': { ...token, doc: 'whoever has this token may do everything' },
  'rest.token.operate': { ...token, doc: 'whoever has this token may look, and take savepoints, stop, cancel, drain' },
  'rest.token.view': { ...token, doc: 'whoever has this token may look' },
  'checkpoints.place': {
    ...text,
    aliases: ['state.checkpoints.dir', 'execution.checkpointing.dir', 'checkpoint.storage', 'checkpoints.directory'],
    validate: placeProblem,
    doc:
      'folder or `s3://BUCKET/PREFIX` for the checkpoints of jobs that name no place of their own; all processes ' +
      'reach it. With `ha.directory` it may be left out: a folder there',
  },
  'checkpoints.s3.endpoint': {
    ...text,
    aliases: ['s3.endpoint'],
    validate: urlProblem,
    doc: 'the URL of a service that is not AWS, for `s3://` places; without it AWS, or AWS_ENDPOINT_URL_S3',
  },
  'checkpoints.s3.region': { ...text, doc: 'the region of the buckets; without it AWS_REGION, or that of the profile' },
  'checkpoints.s3.path-style': {
    kind: 'boolean',
    scope: 'cluster',
    aliases: ['s3.path.style.access'],
    doc: 'whether buckets stand in the path of URLs; without it, true where an endpoint is given',
  },
  'jobs.code-directory': {
    ...text,
    doc:
      'folder with TypeScript that is not submitted with jobs, which job files name relative to it; the same on all ' +
      'machines',
  },
  'jobs.code-upload': {
    kind: 'enum',
    values: ['with-token', 'always', 'never'],
    default: 'never',
    scope: 'cluster',
    aliases: ['web.submit.enable'],
    doc:
      'whose jobs may bring code, which runs as the TaskManagers do: of those with the token `rest.token.deploy`, of ' +
      'everybody who can submit, or nobody\'s; `millrace cluster` says `always`',
  },
  'heartbeat.interval': {
    ...duration,
    default: '1s',
    doc: 'how often TaskManagers tell that they are there',
  },
  'heartbeat.timeout': {
    ...duration,
    default: '5s',
    doc: 'a TaskManager that is silent for so long is taken for dead',
  },
  'slot-timeout': {
    ...duration,
    default: '5m',
    aliases: ['slot.request.timeout', 'resourcemanager.taskmanager-timeout'],
    doc: 'a job that finds no slots for so long fails, and says what it was waiting for',
  },
  'locality-wait': {
    ...duration,
    default: '0s',
    aliases: ['spark.locality.wait', 'locality.wait'],
    doc:
      'a job waits so long for slots in whose racks all its partitions can be read, before it takes those that are ' +
      'free; also when it restarts',
  },
  'takeover-timeout': {
    ...duration,
    default: '10s',
    doc: 'a new leader waits so long for the TaskManagers that run a job, before it restarts the job',
  },
});

const MIB = 2 ** 20;
const SMALLEST_SLOT_BYTES = 16 * MIB;
const MOST_SLOTS = 1024;

/** What a TaskManager is told beside clusterOptions. */
export const taskManagerRoleOptions = defineOptions({
  'taskmanager.slots': {
    kind: 'integer',
    default: 1,
    min: 1,
    max: MOST_SLOTS,
    scope: 'cluster',
    aliases: ['taskmanager.numberOfTaskSlots', 'num.stream.threads'],
    doc: 'how many slots it has: each is a thread, and takes one slice of a job; best as many as the machine has cores',
  },
  'taskmanager.slot-memory': {
    kind: 'size',
    default: '512MiB',
    min: SMALLEST_SLOT_BYTES,
    scope: 'cluster',
    aliases: ['taskmanager.memory.process.size', 'taskmanager.memory.flink.size'],
    doc: 'what a slot may use for data on its way',
  },
  'taskmanager.slot-state-memory': {
    kind: 'size',
    min: SMALLEST_SLOT_BYTES,
    scope: 'cluster',
    aliases: ['taskmanager.memory.managed.size'],
    doc:
      'what the state of a slot may take where the job does not say; without it 70 % of the machine\'s memory, ' +
      'shared evenly',
  },
  'taskmanager.rack': {
    ...text,
    aliases: ['client.rack', 'broker.rack'],
    doc: 'the rack or zone that it is in, as Kafka\'s brokers have it: it reads from replicas there',
  },
  'taskmanager.node': {
    ...text,
    doc: 'the machine that it is on, for placement; without it the name by which others reach it',
  },
  'taskmanager.tags': {
    kind: 'list',
    default: [],
    scope: 'cluster',
    doc: 'words by which operators tell TaskManagers apart',
  },
  'taskmanager.data-host': { ...text, doc: 'the address for the data between slots; without it `rpc.host`' },
  'taskmanager.data-port': {
    ...port,
    default: 0,
    aliases: ['taskmanager.data.port'],
    doc: 'the first of as many ports as there are slots; 0 for any',
  },
  'taskmanager.data-advertised-port': {
    ...port,
    min: 1,
    doc: 'the first of the ports by which others reach them, where something forwards these to the ports of the slots',
  },
  'taskmanager.work-directory': {
    ...text,
    default: '.millrace/taskmanager',
    aliases: ['io.tmp.dirs', 'state.dir'],
    doc: 'folder for state that does not fit into memory, and for copies of it; nothing in it outlives the process',
  },
  'taskmanager.local-recovery': {
    kind: 'enum',
    values: ['auto', 'always', 'never'],
    default: 'auto',
    scope: 'cluster',
    aliases: [
      'state.backend.local-recovery',
      'execution.checkpointing.local-backup.enabled',
      'execution.state-recovery.from-local',
    ],
    doc:
      'whether it copies the state of its tasks into the work directory, so that restarts read it from there; ' +
      '`auto`: where checkpoints are in S3',
  },
  'taskmanager.local-recovery-size': {
    kind: 'size',
    default: '8GiB',
    min: 0,
    scope: 'cluster',
    doc: 'what these copies may take, shared evenly by the slots; what does not fit is read from afar',
  },
  'taskmanager.orphan-timeout': {
    ...duration,
    default: '10m',
    doc: 'tasks go on for so long without any leader; then they are cancelled',
  },
  'taskmanager.drain-timeout': {
    ...duration,
    default: '30s',
    doc: 'on SIGTERM it waits so long until its tasks run elsewhere',
  },
});

export type ClusterSettings = OptionValues<typeof clusterOptions>;
export type DispatcherSettings = ClusterSettings & OptionValues<typeof dispatcherRoleOptions>;
export type TaskManagerSettings = ClusterSettings & OptionValues<typeof taskManagerRoleOptions>;
