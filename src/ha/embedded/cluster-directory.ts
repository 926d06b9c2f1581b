/**
 * What stands where in the directory of an embedded cluster:
 *
 *  leader.lock      held by the process that leads
 *  epoch            of the newest leader, raised before it reads anything
 *  leader           what the leader publishes
 *  store/<name>     one value of the fenced store each
 *  members/<guid>   a TaskManager that is announced; <guid>.lock is held by its process for as long as it lives.
 *                   Leaders have such a lock, too: probing it takes nobody's turn in the election.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import type { MillraceError, Ports } from '../../core/index.ts';
import { escaped } from '../keys.ts';

export type EmbeddedClusterPorts = Pick<Ports, 'clock' | 'files' | 'randomness'>;

/** What the parts of one process share. */
export interface EmbeddedCluster {
  readonly directory: ClusterDirectory;
  readonly ports: EmbeddedClusterPorts;
  /** Told what goes wrong where nobody waits for an answer; it is tried again. */
  readonly onProblem: (error: MillraceError) => void;
}

const MAX_READABLE_LENGTH = 60;
const HASH_DIGITS = 32;
const SAFE = /[A-Za-z0-9_-]/;

export class ClusterDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get leaderLock(): string {
    return join(this.path, 'leader.lock');
  }

  get epoch(): string {
    return join(this.path, 'epoch');
  }

  get leader(): string {
    return join(this.path, 'leader');
  }

  get store(): string {
    return join(this.path, 'store');
  }

  get members(): string {
    return join(this.path, 'members');
  }

  /** The hash alone tells keys apart, on file systems that ignore case too. */
  value(key: string): string {
    const readable = escaped(key, SAFE).replace(/~[0-9a-f]{4}/g, '.').slice(0, MAX_READABLE_LENGTH);
    // Of UTF-16 units, because names may differ in lone surrogates, which UTF-8 lacks.
    const hash = createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('hex').slice(0, HASH_DIGITS);
    return join(this.store, `v${readable}~${hash}`);
  }

  member(guid: string): string {
    return join(this.members, guid);
  }

  memberLock(guid: string): string {
    return join(this.members, `${guid}.lock`);
  }
}
