import type { OptionTable } from '../core/index.ts';
import {
  checkpointOptions,
  dedupeOptions,
  jobFileLimits,
  jobOptions,
  joinOptions,
  processOptions,
  lookupCacheOptions,
  lookupOptions,
  lookupRetryOptions,
  rescaleOptions,
  restartOptions,
  s3Options,
  stateOptions,
  topNOptions,
  watermarkOptions,
  windowKinds,
  windowOptions,
  withinOptions,
} from '../graph/index.ts';
import { clusterOptions, dispatcherRoleOptions, taskManagerRoleOptions } from './cluster/role-options.ts';

export interface TitledOptions {
  readonly title: string;
  readonly doc: string;
  readonly options: OptionTable;
}

/** The options that are not of a connector or format. */
export const optionTables: readonly TitledOptions[] = [
  { title: 'Job', doc: 'Beside `name` and `steps` in a job file.', options: jobOptions },
  {
    title: 'Checkpoints',
    doc: 'The block `checkpoint`; `checkpoint: 10s` is its interval alone.',
    options: checkpointOptions,
  },
  {
    title: 'Checkpoints: S3',
    doc: 'The block `s3` of `checkpoint`: how `s3://` URLs are reached, and as whom.',
    options: s3Options,
  },
  { title: 'State', doc: 'The block `state`.', options: stateOptions },
  {
    title: 'Rescale',
    doc: 'The block `rescale`; `rescale: reactive` takes its defaults.',
    options: rescaleOptions,
  },
  ...Object.entries(restartOptions).map(([name, options]) => ({
    title: `Restart: ${name}`,
    doc: `The block \`restart\` with the strategy \`${name}\`; \`restart: ${name}\` takes its defaults.`,
    options,
  })),
  { title: 'Event time', doc: 'The block `watermark` of a source.', options: watermarkOptions },
  ...Object.entries(windowKinds).map(([name, { options }]) => ({
    title: `Window: ${name}`,
    doc: `What \`${name}\` in the block \`window\` of an aggregate takes.`,
    options,
  })),
  { title: 'Windows', doc: 'What may stand beside the kind of a window.', options: windowOptions },
  { title: 'Join', doc: 'The verb `join`.', options: joinOptions },
  { title: 'Join: within', doc: 'The block `within` of a join.', options: withinOptions },
  { title: 'Dedupe', doc: 'The verb `dedupe`.', options: dedupeOptions },
  { title: 'Top-N', doc: 'The verb `topN`.', options: topNOptions },
  { title: 'Process', doc: 'What may stand beside the verb `process`.', options: processOptions },
  { title: 'Lookup', doc: 'Beside the verb `lookup`, its `with`, `on` and `schema`.', options: lookupOptions },
  {
    title: 'Lookup: retry',
    doc: 'The block `retry` of a lookup; `retry: 5` is its attempts alone.',
    options: lookupRetryOptions,
  },
  {
    title: 'Lookup: cache',
    doc: 'The block `cache` of a lookup; `cache: 10000` is its rows alone.',
    options: lookupCacheOptions,
  },
  {
    title: 'Cluster',
    doc:
      'Settings of every process of a cluster. Each is a flag (`rpc.host` is `--rpc-host`; secrets have none), a ' +
      'variable (`MILLRACE_RPC_HOST`) and a key of `millrace.yaml`, nested or with dots; the first of these that is ' +
      'given wins.',
    options: clusterOptions,
  },
  { title: 'Cluster: Dispatcher', doc: 'What a Dispatcher takes beside those.', options: dispatcherRoleOptions },
  {
    title: 'Cluster: TaskManager',
    doc: 'What a TaskManager takes beside those; as a flag without `taskmanager`: `taskmanager.slots` is `--slots`.',
    options: taskManagerRoleOptions,
  },
  {
    title: 'Limits of job files',
    doc: 'They keep a damaged or hostile file from exhausting memory. This version has no way to change them.',
    options: jobFileLimits,
  },
];
