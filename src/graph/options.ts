import { DEFAULT_KEY_GROUP_COUNT, defineOptions } from '../core/index.ts';
import type { OptionValues } from '../core/index.ts';

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
