/** Who calls, and whether that is taken: what stands in the metadata of a stream (docs/design/020-rpc.md). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import type { ProtocolVersions } from './protocol-versions.ts';

export interface Greeting {
  readonly versions: ProtocolVersions;
  readonly processId: string;
  /** Among those of this process, from 1. */
  readonly connection: number;
  readonly address: string;
  readonly token: string | null;
}

export function writeGreeting(greeting: Greeting): Metadata {
  const metadata = new Metadata();
  metadata.set('millrace-versions', `${greeting.versions.oldest}-${greeting.versions.newest}`);
  metadata.set('millrace-process', greeting.processId);
  metadata.set('millrace-connection', String(greeting.connection));
  metadata.set('millrace-address', greeting.address);
  if (greeting.token !== null) {
    metadata.set('authorization', `Bearer ${Buffer.from(greeting.token).toString('base64url')}`);
  }
  return metadata;
}

/** Null for what is not a greeting. */
export function readGreeting(metadata: Metadata): Greeting | null {
  const versions = /^(\d{1,9})-(\d{1,9})$/.exec(textOf(metadata, 'millrace-versions'));
  const connection = /^\d{1,15}$/.exec(textOf(metadata, 'millrace-connection'));
  const processId = textOf(metadata, 'millrace-process');
  const token = /^Bearer ([\w-]*)$/.exec(textOf(metadata, 'authorization'))?.[1];
  if (versions === null || connection === null || processId === '') return null;
  return {
    versions: { oldest: Number(versions[1]), newest: Number(versions[2]) },
    processId,
    connection: Number(connection[0]),
    address: textOf(metadata, 'millrace-address'),
    token: token === undefined ? null : Buffer.from(token, 'base64url').toString(),
  };
}

function textOf(metadata: Metadata, key: string): string {
  const [value] = metadata.get(key);
  return typeof value === 'string' ? value : '';
}

/** In a time that says nothing about where they differ. */
export function isSameToken(own: string, other: string | null): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(own), digest(other ?? '')) && other !== null;
}
