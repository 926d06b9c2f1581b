/** Places where checkpoints and savepoints stand, as people write them: paths, and URLs of object stores. */

import { join, resolve } from 'node:path';

import type { CheckpointStorageRoot } from './checkpoint.ts';

const URL_FORM = /^([A-Za-z][A-Za-z0-9+.-]+):\/\/(.*)$/su;
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
/** What an object store may take in a key, but URLs and paths do not survive. */
const UNSAFE_SEGMENT = /^\.{0,2}$|[\0-\x1f\x7f]/;

export type StorageLocation =
  | { readonly kind: 'path'; readonly path: string }
  /** `key` neither begins nor ends with a slash; empty for the bucket itself. */
  | { readonly kind: 's3'; readonly bucket: string; readonly key: string }
  /** `problem` completes "it ". */
  | { readonly kind: 'unusable'; readonly problem: string };

/** A key stands in a URL as it is, nothing in it is escaped (as AWS's own tools have it). */
export function parseStorageLocation(location: string): StorageLocation {
  const url = URL_FORM.exec(location);
  if (url === null) return location === '' ? unusable('is empty') : { kind: 'path', path: location };
  const [, scheme = '', rest = ''] = url;
  // Those of Hadoop's clients mean the same.
  if (!['s3', 's3a', 's3n'].includes(scheme.toLowerCase())) {
    return unusable(`begins with \`${scheme}://\`; a path or a URL \`s3://BUCKET/PREFIX\` is understood`);
  }
  const slash = rest.indexOf('/');
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
  if (!BUCKET.test(bucket)) return unusable('names no bucket; `s3://BUCKET/PREFIX` is the form');
  const key = slash < 0 ? '' : rest.slice(slash + 1).replace(/\/+$/, '');
  if (key !== '' && key.split('/').some((segment) => UNSAFE_SEGMENT.test(segment))) {
    return unusable('has a part that is empty, `.`, `..` or not printable');
  }
  return { kind: 's3', bucket, key };
}

export function s3Url(bucket: string, key: string): string {
  return key === '' ? `s3://${bucket}` : `s3://${bucket}/${key}`;
}

/** The root of a storage below a location; relative paths are of the working directory. */
export function storageRootBelow(
  location: Exclude<StorageLocation, { readonly kind: 'unusable' }>,
  ...names: readonly string[]
): CheckpointStorageRoot {
  if (location.kind === 'path') return { kind: 'directory', path: join(resolve(location.path), ...names) };
  const { bucket, key } = location;
  return { kind: 's3', bucket, prefix: (key === '' ? names : [key, ...names]).join('/') };
}

/** As people write it. */
export function locationOfRoot(root: CheckpointStorageRoot): string {
  return root.kind === 'directory' ? root.path : s3Url(root.bucket, root.prefix);
}

/** Whether it is an absolute URL rather than a path. */
export function isStorageUrl(location: string): boolean {
  return URL_FORM.test(location);
}

function unusable(problem: string): StorageLocation {
  return { kind: 'unusable', problem };
}
