/*
 * What is known about each running set of services, in one JSON file per name, so that another command finds, restarts
 * and stops what an earlier one started.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runDirectory } from './cache.ts';
import { ServicesError, USAGE_EXIT_CODE } from './errors.ts';
import type { ProcessIdentity } from './processes.ts';
import type { Runtime } from './tools.ts';

export type KafkaRelease = '3.9' | '4.1';

/** A running process or container. */
export type Handle =
  | ({ readonly kind: 'process' } & ProcessIdentity)
  | { readonly kind: 'container'; readonly container: string };

export interface BrokerPorts {
  readonly plaintext: number;
  readonly controller: number;
  /** SASL over a plain connection; only with `secure`. */
  readonly sasl?: number;
  /** TLS without SASL; only with `secure`. */
  readonly ssl?: number;
  /** SASL over TLS; only with `secure`. */
  readonly saslSsl?: number;
}

export interface BrokerState {
  readonly id: number;
  readonly rack: string;
  readonly ports: BrokerPorts;
  /** Absent while the broker is stopped. */
  handle?: Handle;
}

export interface ZooKeeperState {
  readonly port: number;
  handle?: Handle;
}

export interface S3State {
  readonly port: number;
  handle?: Handle;
}

export interface SecurityState {
  readonly caFile: string;
  readonly user: string;
  readonly password: string;
}

export interface ServicesState {
  readonly format: 1;
  readonly name: string;
  readonly runtime: Runtime;
  readonly kafka: KafkaRelease;
  readonly clusterId: string;
  readonly settings: Readonly<Record<string, string>>;
  /** When present, the services are left over once this process has ended, and the next start removes them. */
  readonly owner?: ProcessIdentity;
  /** Quick to start and cheap where nothing happens, rather than fast in the long run. */
  readonly isBrief?: boolean;
  readonly security?: SecurityState;
  readonly brokers: BrokerState[];
  readonly zookeeper?: ZooKeeperState;
  readonly s3?: S3State;
}

export const DEFAULT_NAME = 'default';

export function checkName(name: string): void {
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/i.test(name)) {
    throw new ServicesError(`name ${JSON.stringify(name)}: letters, digits, - and _ only, 64 at most`, {
      exitCode: USAGE_EXIT_CODE,
    });
  }
}

/** Configuration, data and logs of one set of services. */
export function directoryOfServices(name: string): string {
  return join(runDirectory(), name);
}

export function lockOfServices(name: string): string {
  return join(runDirectory(), `${name}.lock`);
}

/** Held while ports are chosen and until they are written down. */
export function portsLock(): string {
  return join(runDirectory(), '.ports.lock');
}

function stateFile(name: string): string {
  return join(directoryOfServices(name), 'state.json');
}

export function readState(name: string): ServicesState | undefined {
  let text: string;
  try {
    text = readFileSync(stateFile(name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text) as ServicesState;
}

export function writeState(state: ServicesState): void {
  const file = stateFile(state.name);
  mkdirSync(directoryOfServices(state.name), { recursive: true });
  const next = `${file}.${String(process.pid)}`;
  writeFileSync(next, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(next, file);
}

/** Names that have a directory, running or not. */
export function knownNames(): string[] {
  if (!existsSync(runDirectory())) return [];
  return readdirSync(runDirectory(), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readState(entry.name) !== undefined)
    .map((entry) => entry.name)
    .sort();
}

export function portsOf(state: ServicesState): number[] {
  const ports = state.brokers.flatMap((broker) => Object.values(broker.ports) as number[]);
  return [...ports, ...[state.zookeeper, state.s3].flatMap((each) => each?.port ?? [])];
}
