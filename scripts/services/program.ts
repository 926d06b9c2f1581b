/** What the programs that start services have in common: how they tell what they do, and how they end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';

import { ServicesError, USAGE_EXIT_CODE } from './errors.ts';
import { identifyProcess } from './processes.ts';
import { startServices, stopServices } from './services.ts';
import type { Services, ServicesOptions } from './services.ts';

export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A message with the usage below it, and the exit code for that. */
export function usageErrorOf(usage: string): (message: string) => ServicesError {
  return (message) => new ServicesError(`${message}\n\n${usage}`, { exitCode: USAGE_EXIT_CODE });
}

/** The options of the command line; one that is not there, or lacks its value, is a mistake in the usage. */
export function readOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  options: T,
  usageError: (message: string) => ServicesError,
): ReturnType<typeof parseArgs<{ options: T }>>['values'] {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

/** Leaves the exit code that `main` resolves to; an error of services is told, and has a code of its own. */
export async function runProgram(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof ServicesError)) throw error;
    tell(error.message);
    process.exitCode = error.exitCode;
  }
}

export interface Errand {
  /** What it is: names the services and the folder. */
  readonly kind: string;
  readonly services: Omit<ServicesOptions, 'name' | 'owner' | 'progress'>;
  /** What its folder holds. */
  readonly leaves: string;
  /** Resolves to whether all was well. */
  readonly run: (services: Services, folder: string) => Promise<boolean>;
}

/**
 * Runs something with services and a folder of its own, and takes both away; the folder stays where not all was well.
 * Resolves to the exit code.
 */
export async function runWithServices({ kind, services: options, leaves, run }: Errand): Promise<number> {
  const owner = identifyProcess(process.pid);
  const name = `${kind}-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), `millrace-${kind}-`));
  const belongsTo = owner === undefined ? {} : { owner };
  const services = await startServices({ ...options, name, progress: tell, ...belongsTo });
  let isGood = false;
  try {
    isGood = await run(services, folder);
  } finally {
    if (isGood) rmSync(folder, { recursive: true });
    else tell(`${leaves} are left in ${folder}`);
    await stopServices(name);
  }
  return isGood ? 0 : 1;
}
