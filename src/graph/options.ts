import { DEFAULT_KEY_GROUP_COUNT, defineOptions, parseStorageLocation } from '../core/index.ts';
import type { OptionTable, OptionValue, OptionValues } from '../core/index.ts';

/** What a job file may be at most. Guards against damaged and hostile files; a real job is far below. */
export const jobFileLimits = defineOptions({
  'job-file.max-size': {
    kind: 'size',
    default: '1MiB',
    min: 1,
    scope: 'process',
    doc: 'the largest job file that is read',
  },
  'job-file.max-depth': {
    kind: 'integer',
    default: 32,
    min: 4,
    max: 256,
    scope: 'process',
    doc: 'how deep mappings and lists may be nested',
  },
  'job-file.max-values': {
    kind: 'integer',
    default: 100_000,
    min: 1,
    scope: 'process',
    doc: 'how many values a job file may hold, those reached through aliases counted each time',
  },
  'job-file.max-steps': {
    kind: 'integer',
    default: 1000,
    min: 1,
    scope: 'process',
    doc: 'how many steps a job may have',
  },
  'job-file.max-fields': {
    kind: 'integer',
    default: 2000,
    min: 1,
    scope: 'process',
    doc: 'how many fields a row may have',
  },
  'job-file.max-name-length': {
    kind: 'integer',
    default: 128,
    min: 1,
    scope: 'process',
    unit: 'characters',
    doc: 'how long names of jobs, steps and fields may be',
  },
  'job-file.max-expression-length': {
    kind: 'integer',
    default: 65_536,
    min: 1,
    scope: 'process',
    unit: 'characters',
    doc: 'how long an expression may be',
  },
  'job-file.max-problems': {
    kind: 'integer',
    default: 200,
    min: 1,
    scope: 'process',
    doc: 'how many problems of one file are reported',
  },
});

export type JobFileLimits = OptionValues<typeof jobFileLimits>;

const MAX_PARALLELISM = 32_768;

/** The settings of a job that stand beside `name` and `steps`. */
export const jobOptions = defineOptions({
  parallelism: {
    kind: 'integer',
    default: 1,
    min: 1,
    max: MAX_PARALLELISM,
    scope: 'job',
    aliases: ['parallelism.default', 'tasks.max', 'tasksMax', 'num.stream.threads'],
    doc: 'how many subtasks each step runs in, where the step does not say otherwise',
  },
  maxParallelism: {
    kind: 'integer',
    default: DEFAULT_KEY_GROUP_COUNT,
    min: 1,
    max: MAX_PARALLELISM,
    scope: 'job',
    aliases: ['pipeline.max-parallelism', 'max-parallelism'],
    doc: 'the number of key groups: the most subtasks that a keyed step can ever have; fixed once a job has state',
  },
});

/** Flink's shortest interval; below it a job would do nothing else. */
const SHORTEST_INTERVAL_MS = 10;

const atLeast =
  (limitMs: number) =>
  (value: OptionValue): string | null =>
    typeof value === 'number' && value < limitMs ? `must be at least ${limitMs}ms` : null;

/** The block `checkpoint` of a job. */
export const checkpointOptions = defineOptions({
  interval: {
    kind: 'duration',
    required: true,
    scope: 'job',
    aliases: ['execution.checkpointing.interval', 'every', 'period', 'commit.interval.ms', 'offset.flush.interval.ms'],
    validate: atLeast(SHORTEST_INTERVAL_MS),
    doc: 'how often the state is saved; transactional output becomes visible as often',
  },
  mode: {
    kind: 'enum',
    values: ['exactly-once', 'at-least-once'],
    default: 'exactly-once',
    scope: 'job',
    aliases: ['execution.checkpointing.mode', 'processing.guarantee', 'guarantee', 'consistency'],
    doc: 'at-least-once never waits for the slower of several inputs, and counts rows twice after a failure',
  },
  timeout: {
    kind: 'duration',
    default: '10m',
    scope: 'job',
    aliases: ['execution.checkpointing.timeout'],
    validate: atLeast(SHORTEST_INTERVAL_MS),
    doc: 'a checkpoint that is not complete by then is given up',
  },
  alignmentTimeout: {
    kind: 'duration',
    default: '30s',
    mayBeNever: true,
    scope: 'job',
    aliases: [
      'execution.checkpointing.aligned-checkpoint-timeout',
      'execution.checkpointing.alignment-timeout',
      'aligned-checkpoint-timeout',
      'alignment-timeout',
    ],
    doc:
      'how long barriers wait for what is in front of them; then they overtake it, and the checkpoint holds it; ' +
      '`0s` for at once, `never` for as long as it takes',
  },
  minPause: {
    kind: 'duration',
    default: '0s',
    scope: 'job',
    aliases: ['execution.checkpointing.min-pause', 'min-pause', 'pause'],
    doc: 'the least time between the end of one checkpoint and the start of the next',
  },
  tolerableFailures: {
    kind: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000,
    scope: 'job',
    aliases: ['execution.checkpointing.tolerable-failed-checkpoints', 'tolerable-failed-checkpoints'],
    doc: 'how many checkpoints in a row may fail before the job does',
  },
  retained: {
    kind: 'integer',
    default: 2,
    min: 1,
    max: 1000,
    scope: 'job',
    aliases: ['execution.checkpointing.num-retained', 'state.checkpoints.num-retained', 'num-retained', 'keep'],
    doc: 'how many completed checkpoints are kept',
  },
  storage: {
    kind: 'string',
    scope: 'job',
    aliases: ['execution.checkpointing.dir', 'state.checkpoints.dir', 'dir', 'directory', 'path', 'location', 'url'],
    validate: storageProblem,
    doc:
      'where the checkpoints are, below which the job makes a place of its own: a folder, or `s3://BUCKET/PREFIX`; ' +
      'without it, in the job\'s folder in that of `--data-dir`',
  },
  s3: {
    kind: 'any',
    scope: 'job',
    aliases: ['aws', 'minio'],
    doc: 'a block of settings for `s3://` URLs, those of savepoints too',
  },
});

function storageProblem(value: OptionValue): string | null {
  const location = parseStorageLocation(typeof value === 'string' ? value : '');
  return location.kind === 'unusable' ? location.problem : null;
}

function endpointProblem(value: OptionValue): string | null {
  const isUrl = typeof value === 'string' && /^https?:\/\/[^/\s]+\/?$/i.test(value);
  return isUrl ? null : 'must be a URL `http://HOST` or `https://HOST`';
}

/** The block `s3` of `checkpoint`. What it does not say is found as AWS's own tools find it. */
export const s3Options = defineOptions({
  endpoint: {
    kind: 'string',
    scope: 'job',
    aliases: ['s3.endpoint', 'fs.s3a.endpoint', 'url', 'host'],
    validate: endpointProblem,
    doc: 'the URL of a service that is not AWS; without it AWS, or AWS_ENDPOINT_URL_S3',
  },
  region: {
    kind: 'string',
    scope: 'job',
    aliases: ['s3.region', 'fs.s3a.endpoint.region', 'aws.region'],
    doc: 'the region of the buckets; without it AWS_REGION, or that of the profile; with `endpoint` any will do',
  },
  pathStyle: {
    kind: 'boolean',
    scope: 'job',
    aliases: ['s3.path.style.access', 'path-style-access', 'forcePathStyle', 'fs.s3a.path.style.access'],
    doc: 'whether buckets stand in the path instead of the host\'s name; without it, true where `endpoint` is given',
  },
  accessKeyId: {
    kind: 'string',
    scope: 'job',
    aliases: ['s3.access-key', 's3.access.key', 'fs.s3a.access.key', 'accessKey', 'aws_access_key_id'],
    doc: 'who asks; without it as AWS\'s own tools find it: environment, profile, what the machine is given',
  },
  secretAccessKey: {
    kind: 'string',
    secret: true,
    scope: 'job',
    aliases: ['s3.secret-key', 's3.secret.key', 'fs.s3a.secret.key', 'secretKey', 'aws_secret_access_key'],
    doc: 'the secret of `accessKeyId`; best a variable',
  },
  sessionToken: {
    kind: 'string',
    secret: true,
    scope: 'job',
    aliases: ['fs.s3a.session.token', 'aws_session_token'],
    doc: 'belongs to credentials that are given for a time',
  },
  timeout: {
    kind: 'duration',
    default: '30s',
    scope: 'job',
    aliases: ['requestTimeout', 'fs.s3a.connection.timeout'],
    validate: atLeast(100),
    doc: 'a request that is not answered by then is sent again, six times at most',
  },
});

/** The block `state` of a job. */
export const stateOptions = defineOptions({
  backend: {
    kind: 'enum',
    values: ['memory', 'disk'],
    default: 'memory',
    scope: 'job',
    aliases: ['state.backend', 'state.backend.type', 'type', 'kind', 'store'],
    doc: 'disk: keys that memory has no room for are kept on the local disk, by the steps that can',
  },
  memory: {
    kind: 'size',
    scope: 'job',
    aliases: ['taskmanager.memory.managed.size', 'state.backend.rocksdb.memory.managed', 'budget', 'limit', 'cache'],
    min: 1024 * 1024,
    doc: 'what the state of a slot may take; by default 256MiB with `disk`, else a share of the machine\'s memory',
  },
});

/** The block `rescale` of a job. Flink's reactive mode, with the times of its adaptive scheduler. */
export const rescaleOptions = defineOptions({
  mode: {
    kind: 'enum',
    values: ['reactive'],
    required: true,
    scope: 'job',
    aliases: ['scheduler-mode', 'jobmanager.scheduler', 'scheduler'],
    doc: 'reactive: in a cluster the job takes as many slots as there are, whatever `parallelism` says',
  },
  min: {
    kind: 'integer',
    default: 1,
    min: 1,
    max: MAX_PARALLELISM,
    scope: 'job',
    aliases: ['minParallelism', 'lowerBound'],
    doc: 'with fewer slots than this the job waits',
  },
  max: {
    kind: 'integer',
    min: 1,
    max: MAX_PARALLELISM,
    scope: 'job',
    aliases: ['maxParallelism', 'upperBound'],
    doc: 'it takes no more slots than this; by default `maxParallelism` of the job',
  },
  stabilization: {
    kind: 'duration',
    default: '10s',
    scope: 'job',
    aliases: [
      'jobmanager.adaptive-scheduler.resource-stabilization-timeout',
      'jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout',
    ],
    doc: 'the job grows once the number of slots has not changed for so long',
  },
  interval: {
    kind: 'duration',
    default: '30s',
    scope: 'job',
    aliases: [
      'jobmanager.adaptive-scheduler.scaling-interval.min',
      'jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling',
      'cooldown',
    ],
    doc: 'the job does not grow sooner than this after it was last rescaled',
  },
  wait: {
    kind: 'duration',
    default: '5s',
    scope: 'job',
    aliases: [
      'jobmanager.adaptive-scheduler.resource-wait-timeout',
      'jobmanager.adaptive-scheduler.submission.resource-wait-timeout',
      'resourceWait',
    ],
    doc: 'a job that has lost slots waits so long for others before it goes on with fewer',
  },
});

export const restartStrategies = ['none', 'fixed-delay', 'exponential-delay', 'failure-rate'] as const;
export type RestartStrategyName = (typeof restartStrategies)[number];

const strategy = {
  kind: 'enum',
  values: restartStrategies,
  required: true,
  scope: 'job',
  aliases: ['restart-strategy', 'restart-strategy.type', 'type', 'kind', 'policy'],
  doc: 'when a failed job is started again, from its last checkpoint',
} as const;

const delay = {
  kind: 'duration',
  default: '1s',
  scope: 'job',
  doc: 'the time from a failure to the next start',
} as const;

/** The block `restart` of a job, by strategy. Names and defaults are Flink's where nothing else is said. */
export const restartOptions = {
  none: defineOptions({ strategy }),
  'fixed-delay': defineOptions({
    strategy,
    attempts: {
      kind: 'integer',
      default: 1,
      min: 1,
      max: 2 ** 31 - 1,
      scope: 'job',
      aliases: ['restart-strategy.fixed-delay.attempts', 'maxAttempts', 'retries', 'errors.retry.limit'],
      doc: 'how often the job is started again before it fails for good',
    },
    delay: { ...delay, aliases: ['restart-strategy.fixed-delay.delay', 'backoff', 'errors.retry.delay.max.ms'] },
  }),
  'exponential-delay': defineOptions({
    strategy,
    initial: {
      kind: 'duration',
      default: '1s',
      scope: 'job',
      aliases: ['restart-strategy.exponential-delay.initial-backoff', 'initial-backoff', 'delay', 'backoff'],
      validate: atLeast(1),
      doc: 'the time from the first failure to the next start',
    },
    max: {
      kind: 'duration',
      default: '1m',
      scope: 'job',
      aliases: ['restart-strategy.exponential-delay.max-backoff', 'max-backoff', 'maxDelay'],
      validate: atLeast(1),
      doc: 'the longest time to the next start',
    },
    multiplier: {
      kind: 'number',
      default: 2,
      min: 1,
      max: 1000,
      scope: 'job',
      aliases: ['restart-strategy.exponential-delay.backoff-multiplier', 'backoff-multiplier', 'factor'],
      doc: 'by how much the time grows with every failure',
    },
    jitter: {
      kind: 'number',
      default: 0.1,
      min: 0,
      max: 1,
      scope: 'job',
      aliases: ['restart-strategy.exponential-delay.jitter-factor', 'jitter-factor'],
      doc: 'the share of the time that is added or taken away by chance',
    },
    reset: {
      kind: 'duration',
      default: '10m',
      scope: 'job',
      aliases: ['restart-strategy.exponential-delay.reset-backoff-threshold', 'reset-backoff-threshold'],
      validate: atLeast(1),
      doc: 'running so long without a failure, the time is `initial` again',
    },
  }),
  'failure-rate': defineOptions({
    strategy,
    failures: {
      kind: 'integer',
      default: 1,
      min: 1,
      max: 2 ** 31 - 1,
      scope: 'job',
      aliases: ['restart-strategy.failure-rate.max-failures-per-interval', 'max-failures-per-interval', 'attempts'],
      doc: 'how many failures there may be in `interval` before the job fails for good',
    },
    interval: {
      kind: 'duration',
      default: '1m',
      scope: 'job',
      aliases: ['restart-strategy.failure-rate.failure-rate-interval', 'failure-rate-interval', 'window'],
      validate: atLeast(1),
      doc: 'the time in which failures are counted',
    },
    delay: { ...delay, aliases: ['restart-strategy.failure-rate.delay', 'backoff'] },
  }),
} as const satisfies Readonly<Record<RestartStrategyName, OptionTable>>;
