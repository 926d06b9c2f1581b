/*
 * A run of the suites, and what it has made. Everything carries two labels: which run it belongs to, and the process
 * that the run is. A run removes what it made when it ends; where it is killed, its watcher does (watcher.ts); where
 * that is killed too, the next run does, as it sees that the process is gone.
 */
import { hostname } from 'node:os';

import { identifyProcess, isAlive, type ProcessIdentity } from '../../scripts/services/index.ts';
import { docker, type Labels } from './docker.ts';

export interface Run {
  readonly id: string;
  readonly owner: Owner;
}

/** Process ids mean something on their own machine alone. */
interface Owner extends ProcessIdentity {
  readonly host: string;
}

const RUN_LABEL = 'millrace.test-run';
const OWNER_LABEL = 'millrace.test-owner';
/** Set for Jest's workers, by the process that is the run. */
const RUN_VARIABLE = 'MILLRACE_CONTAINER_RUN';
/** Of another machine's run nobody here knows whether it lives; none takes so long. */
const FOREIGN_RUN_MS = 3_600_000;

/** Makes this process the run. */
export function beginRun(): Run {
  const identity = identifyProcess(process.pid);
  if (identity === undefined) throw new Error('this process cannot read its own start time');
  const run = { id: `millrace-${process.pid}-${Date.now().toString(36)}`, owner: { ...identity, host: hostname() } };
  process.env[RUN_VARIABLE] = JSON.stringify(run);
  return run;
}

export function currentRun(): Run {
  const told = process.env[RUN_VARIABLE];
  if (told === undefined) throw new Error('there is no run: beginRun() has not been called');
  return JSON.parse(told) as Run;
}

export function labelsOf({ id, owner }: Run): Labels {
  return { [RUN_LABEL]: id, [OWNER_LABEL]: JSON.stringify(owner) };
}

/** What is there of a run, as names for people. */
export async function remainsOf(runId: string): Promise<readonly string[]> {
  const found = await (await docker()).labelled(`${RUN_LABEL}=${runId}`);
  return found.map(({ kind, name }) => `${kind} ${name}`);
}

/** Removes everything that carries the run's label. */
export async function removeRun(runId: string): Promise<void> {
  await (await docker()).removeLabelled(`${RUN_LABEL}=${runId}`);
}

/** Removes what runs have left behind whose process is gone. */
export async function removeDeadRuns(): Promise<void> {
  const dead = new Set<string>();
  for (const { labels, createdAtMs } of await (await docker()).labelled(RUN_LABEL)) {
    const runId = labels[RUN_LABEL];
    const owner = labels[OWNER_LABEL];
    if (runId === undefined || owner === undefined) continue;
    if (isDead(JSON.parse(owner) as Owner, createdAtMs)) dead.add(runId);
  }
  for (const runId of dead) await removeRun(runId);
}

function isDead(owner: Owner, createdAtMs: number): boolean {
  if (owner.host !== hostname()) return Date.now() - createdAtMs > FOREIGN_RUN_MS;
  return !isAlive(owner);
}
