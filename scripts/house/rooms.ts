/**
 * The house as data: which room may import which, where each third-party client lives, what is banned and what to use
 * instead. Think hard about the layering before changing this file; there is no list of exceptions.
 */

export interface Room {
  /** Rooms beside `core` that it may import. */
  readonly mayImport: readonly string[];
  /** Rooms of which it may import types only. */
  readonly typesOf?: readonly string[];
}

const TESTING = 'testing';
export const VOCABULARY = 'core';

/** Folders of `src/`. */
export const rooms: Readonly<Record<string, Room>> = {
  core: { mayImport: [] },
  expr: { mayImport: [] },
  metrics: { mayImport: [] },
  graph: { mayImport: ['expr'] },
  operators: { mayImport: ['expr'] },
  api: { mayImport: ['graph', 'expr'] },
  state: { mayImport: ['metrics'] },
  connectors: { mayImport: ['metrics', 'expr'] },
  ha: { mayImport: ['metrics'] },
  rpc: { mayImport: ['metrics'], typesOf: ['graph'] },
  taskmanager: { mayImport: ['rpc', 'state', 'metrics'], typesOf: ['graph'] },
  scheduler: { mayImport: ['graph', 'rpc', 'ha', 'metrics'] },
  dispatcher: { mayImport: ['graph', 'rpc', 'ha', 'scheduler', 'metrics'] },
  web: { mayImport: [] },
  cli: {
    mayImport: [
      'expr',
      'metrics',
      'graph',
      'operators',
      'api',
      'state',
      'connectors',
      'ha',
      'rpc',
      'taskmanager',
      'scheduler',
      'dispatcher',
    ],
  },
  testing: {
    mayImport: [
      'expr',
      'metrics',
      'graph',
      'operators',
      'api',
      'state',
      'connectors',
      'ha',
      'rpc',
      'taskmanager',
      'scheduler',
      'dispatcher',
    ],
  },
};

/** Rooms that only tests and the folders outside `src/` may import. */
export const testOnlyRooms: readonly string[] = [TESTING];

/** Rooms that no other room imports. */
export const roots: readonly string[] = ['cli', 'web'];

/** Files of a room, beside its index.ts, that these rooms and everything outside `src/` may import. */
export const sideDoors: Readonly<Record<string, readonly string[]>> = {
  'src/core/node-ports.ts': ['cli', TESTING],
  // The raw limit of the benchmarks is measured on the client alone.
  'src/connectors/kafka/client/index.ts': [],
  // bench/micro/disk-state.ts runs one operator and its checkpoints without a job around them.
  'src/taskmanager/checkpoints/in-flight-rows.ts': [],
  'src/taskmanager/checkpoints/operator-files.ts': [],
  'src/taskmanager/checkpoints/snapshot-writer.ts': [],
  'src/taskmanager/runtime-limits.ts': [],
  'src/taskmanager/task-loop.ts': [],
  // scripts/docs writes a page of the routes.
  'src/dispatcher/rest/describe-routes.ts': [],
  // scripts/sim.ts runs it outside of Jest, which other parts of the room need.
  'src/testing/sim/index.ts': [],
  // scripts/flink-answers.ts asks Flink what the tests of expr compare with.
  'src/expr/flink-answers/flink-sql.ts': [],
};

/** Where the product begins: what these lead to is what is shipped (tsconfig.build.json names them too). */
export const entryPoints: readonly string[] = [
  'src/cli/main.ts',
  'src/cli/slot-worker.ts',
  'src/index.ts',
  'src/testing/kit/index.ts',
];

/** Rooms and packages that understand jobs and hold their data: most of what a process can load. */
const WORK = ['graph', 'expr', 'operators', 'connectors', 'api', 'yaml', 'libpg-query', 'kafkajs', 'avsc'];
/** What few clusters need. */
const BACKENDS = ['@aws-sdk/client-s3', 'rocksdb-native', 'node-zookeeper-client'];

export interface LateParts {
  readonly start: string;
  /** Folders of `src/` and packages that it may reach through `import()` only. */
  readonly late: readonly string[];
}

/** Processes that wait for work are small: 200 MB for a Dispatcher and a TaskManager (docs/design/018). */
export const lateParts: readonly LateParts[] = [
  {
    start: 'src/cli/main.ts',
    late: [...WORK, ...BACKENDS, 'state', 'taskmanager', 'scheduler', 'dispatcher', 'rpc', 'ha'],
  },
  { start: 'src/cli/cluster/dispatcher-role.ts', late: [...WORK, ...BACKENDS, 'taskmanager'] },
  {
    start: 'src/cli/cluster/taskmanager-role.ts',
    late: [...WORK, ...BACKENDS, 'scheduler', 'dispatcher', 'fastify'],
  },
];

/** What Jest's configuration names, and what tests start as programs of their own. */
export const startedFiles: readonly string[] = [
  'scripts/test/seed-properties.ts',
  'integration/containers/cleanup-victim.ts',
  'integration/containers/global-setup.ts',
  'integration/containers/global-teardown.ts',
  'integration/containers/watcher.ts',
];

/** Folders whose own files (not those of folders in them) are programs that people start. */
export const programFolders: readonly string[] = ['scripts', 'bench', 'bench/micro', 'bench/peers'];

/** Each third-party package that the product uses has one home: a folder or a file. Tests may use any. */
export const clientHomes: Readonly<Record<string, string>> = {
  '@aws-sdk/client-s3': 'src/state/storage/s3/',
  '@grpc/grpc-js': 'src/rpc/grpc/',
  '@grpc/proto-loader': 'src/rpc/grpc/',
  '@node-rs/crc32': 'src/core/crc32c.ts',
  avsc: 'src/connectors/formats/',
  commander: 'src/cli/',
  'csv-parse': 'src/connectors/formats/',
  'fastest-levenshtein': 'src/core/nearest-name.ts',
  fastify: 'src/dispatcher/rest/',
  kafkajs: 'src/connectors/kafka/client/',
  'libpg-query': 'src/expr/',
  'lz4-napi': 'src/connectors/kafka/',
  'node-zookeeper-client': 'src/ha/zookeeper/',
  picocolors: 'src/cli/',
  'rocksdb-native': 'src/state/disk/',
  snappy: 'src/connectors/kafka/',
  yaml: 'src/graph/spec/',
};

export interface Ban {
  /** What is banned in the product: a dotted name, or a module's name. */
  readonly name: string;
  readonly use: string;
  readonly homes: readonly string[];
}

const REAL_PORTS = 'src/core/node-ports.ts';

export const bannedNames: readonly Ban[] = [
  { name: 'Date.now', use: 'ports.clock.nowMs()', homes: [REAL_PORTS] },
  { name: 'performance.now', use: 'ports.clock.monotonicMs()', homes: [REAL_PORTS] },
  { name: 'process.hrtime', use: 'ports.clock.monotonicMs()', homes: [REAL_PORTS] },
  { name: 'Math.random', use: 'ports.randomness.next()', homes: [REAL_PORTS] },
  { name: 'randomUUID', use: 'ports.randomness.hex(16)', homes: [REAL_PORTS] },
  { name: 'crypto.randomUUID', use: 'ports.randomness.hex(16)', homes: [REAL_PORTS] },
  { name: 'setTimeout', use: 'ports.clock.schedule() or sleep()', homes: [REAL_PORTS] },
  { name: 'setInterval', use: 'ports.clock.schedule()', homes: [REAL_PORTS] },
  { name: 'setImmediate', use: 'ports.macrotasks.yield()', homes: [REAL_PORTS] },
  { name: 'queueMicrotask', use: 'await, or ports.macrotasks.yield()', homes: [REAL_PORTS] },
  { name: 'process.nextTick', use: 'await, or ports.macrotasks.yield()', homes: [REAL_PORTS] },
  { name: 'AbortSignal.timeout', use: 'ports.clock.schedule()', homes: [REAL_PORTS] },
  { name: 'console', use: 'ports.streams', homes: [] },
  { name: 'process.stdout', use: 'ports.streams', homes: [REAL_PORTS, 'src/cli/process-environment.ts'] },
  { name: 'process.stderr', use: 'ports.streams', homes: [REAL_PORTS, 'src/cli/process-environment.ts'] },
  { name: 'process.env', use: 'a value handed down from src/cli', homes: ['src/cli/process-environment.ts'] },
  { name: 'process.argv', use: 'a value handed down from src/cli', homes: ['src/cli/process-environment.ts'] },
  { name: 'process.exit', use: 'an exit code returned to src/cli/main.ts', homes: ['src/cli/process-environment.ts'] },
];

export const bannedModules: readonly Ban[] = [
  { name: 'node:fs', use: 'ports.files', homes: [REAL_PORTS] },
  { name: 'node:fs/promises', use: 'ports.files', homes: [REAL_PORTS] },
  { name: 'node:net', use: 'ports.network', homes: [REAL_PORTS] },
  { name: 'node:timers', use: 'ports.clock', homes: [REAL_PORTS] },
  { name: 'node:timers/promises', use: 'ports.clock', homes: [REAL_PORTS] },
  { name: 'node:perf_hooks', use: 'ports.clock', homes: [REAL_PORTS] },
  { name: 'node:sqlite', use: 'ports.files.lock()', homes: [REAL_PORTS] },
  {
    name: 'node:child_process',
    use: 'context.startProgram(): the engine starts no processes but its own, for a cluster on one machine',
    homes: ['src/cli/start-program.ts'],
  },
];

/** Names of files that say nothing. */
export const emptyFileNames: readonly string[] = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'shared'];

export const MAX_LINE_LENGTH = 120;
/** A ratchet: it may go down, never up. */
export const MAX_FUNCTION_LINES = 70;
