import { parseOptions } from '../../core/index.ts';
import { jobFileLimits, jobOptions } from '../options.ts';
import type { JobFileLimits } from '../options.ts';
import { entryOf, isEmpty } from './document.ts';
import type { DocumentNode, MapNode } from './document.ts';
import type { Variables } from './interpolate.ts';
import type { JobSpec } from './job-spec.ts';
import { asMap, asText, checkKeys, requireKey, shorten, wrongShape } from './map-reader.ts';
import { ProblemList } from './problem.ts';
import type { JobProblem } from './problem.ts';
import { readCheckpoint } from './read-checkpoint.ts';
import { readDocument } from './read-document.ts';
import { readJobNumber } from './read-job-number.ts';
import { readRestart } from './read-restart.ts';
import { readRescale } from './read-rescale.ts';
import { readState } from './read-state.ts';
import { readStep } from './read-step.ts';
import type { UnresolvedStep } from './read-step.ts';
import { resolveSteps } from './resolve-steps.ts';
import { SourceText } from './source-text.ts';
import type { TextRange } from './source-text.ts';
import { topLevelSettings } from './verbs.ts';

export interface ParseJobFileOptions {
  /** For messages only. */
  readonly fileName: string;
  readonly variables: Variables;
  readonly limits?: Partial<JobFileLimits>;
}

export interface ParsedJobFile {
  /** Null where the text has no structure to speak of. Complete only where `problems` is empty. */
  readonly spec: JobSpec | null;
  readonly problems: readonly JobProblem[];
}

/** Reads the YAML of a job file and checks its structure. Every problem is reported; none is thrown. */
export function parseJobFile(text: string, options: ParseJobFileOptions): ParsedJobFile {
  const problems = createProblemList(text, options);
  const spec = readJobSpec(problems, options);
  return { spec, problems: problems.sorted() };
}

function resolveLimits(given: Partial<JobFileLimits> | undefined): JobFileLimits {
  return { ...parseOptions(jobFileLimits, {}).values, ...given };
}

export function createProblemList(text: string, options: ParseJobFileOptions): ProblemList {
  const limit = resolveLimits(options.limits)['job-file.max-problems'];
  return new ProblemList(options.fileName, new SourceText(text), limit);
}

/** As parseJobFile, for a compiler that goes on to report into the same list. */
export function readJobSpec(problems: ProblemList, options: ParseJobFileOptions): JobSpec | null {
  const limits = resolveLimits(options.limits);
  const root = readDocument(problems, options.variables, limits);
  if (root === null) return null;
  const given = asMap(root, 'the job file', 'a mapping with `name` and `steps`', problems);
  if (given === null) return null;
  const map = checkKeys(given, topLevelSettings, 'the job file', problems);
  const name = readName(map, limits, problems);
  const parallelism = readJobNumber(map, 'parallelism', problems);
  const maxParallelism = readJobNumber(map, 'maxParallelism', problems) ?? jobOptions.maxParallelism.default;
  const checkpoint = readCheckpoint(entryOf(map, 'checkpoint'), problems);
  const restart = readRestart(entryOf(map, 'restart'), checkpoint !== null, problems);
  const state = readState(entryOf(map, 'state'), problems);
  const limited = { hasCheckpoints: checkpoint !== null, maxParallelism };
  const rescale = readRescale(entryOf(map, 'rescale'), limited, problems);
  const at = entryOf(map, 'parallelism');
  if (parallelism !== null && at !== undefined && parallelism > maxParallelism) {
    problems.add('MR-JOB-PARALLELISM', at.value.range, { given: parallelism, limit: maxParallelism });
  }
  const steps = readSteps(map, limits, problems);
  if (steps === null) return null;
  return Object.freeze({
    fileName: options.fileName,
    name,
    parallelism,
    maxParallelism,
    checkpoint,
    restart,
    state,
    rescale,
    steps: resolveSteps(steps.steps, steps.range, steps.damaged, problems),
  });
}

const JOB_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

function readName(map: MapNode, limits: JobFileLimits, problems: ProblemList): string {
  const entry = entryOf(map, 'name');
  requireKey(map, entry, 'name', 'the job file', problems);
  if (entry === undefined) return '';
  const text = asText(entry.value, "the job's name", 'a name', problems);
  if (text === null) return '';
  const limit = limits['job-file.max-name-length'];
  if (text.text.length > limit) {
    problems.add('MR-JOB-LIMIT', text.range, { what: "the length of the job's name", given: text.text.length, limit });
  } else if (!JOB_NAME.test(text.text)) {
    const shown = text.hideVariables(shorten(text.text));
    problems.add('MR-JOB-BAD-NAME', text.range, { what: "the job's name", name: shown, problem: NAME_RULE }, {
      expected: 'a name such as spend-per-region',
      suggestion: text.isInterpolated ? null : text.text.trim().replace(/[^A-Za-z0-9_.-]+/g, '-') || null,
    });
  }
  return text.text;
}

const NAME_RULE = 'it has letters, digits, `_`, `-` and `.` only (data directories and topics are named after it)';

interface ReadSteps {
  readonly steps: readonly UnresolvedStep[];
  /** Where to point when something is missing. */
  readonly range: TextRange;
  readonly damaged: boolean;
}

function readSteps(map: MapNode, limits: JobFileLimits, problems: ProblemList): ReadSteps | null {
  const entry = entryOf(map, 'steps');
  requireKey(map, entry, 'steps', 'the job file', problems);
  if (entry === undefined) return null;
  const list: DocumentNode = entry.value;
  if (list.kind !== 'list' || list.items.length === 0) {
    const at = isEmpty(list) ? { ...list, range: entry.keyRange } : list;
    wrongShape(at, '`steps`', 'a list of steps, each beginning with `- id:`', problems);
    return null;
  }
  const limit = limits['job-file.max-steps'];
  if (list.items.length > limit) {
    problems.add('MR-JOB-LIMIT', entry.keyRange, { what: 'the number of steps', given: list.items.length, limit });
    return null;
  }
  const steps: UnresolvedStep[] = [];
  list.items.forEach((item, index) => {
    const step = asMap(item, `step ${index + 1}`, 'a mapping with `id` and a verb', problems);
    if (step !== null) steps.push(readStep(step, index, limits, problems));
  });
  const damaged = list.damaged || map.damaged || steps.length < list.items.length;
  return { steps, range: entry.keyRange, damaged };
}
