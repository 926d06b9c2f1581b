import { describe, expect, it } from '@jest/globals';
import { parseStorageLocation, s3Url } from './storage-location.ts';

describe('places of checkpoints', () => {
  it.each([
    ['s3://bucket', 'bucket', ''],
    ['s3://bucket/', 'bucket', ''],
    ['s3a://my.bucket-1/a/b c/', 'my.bucket-1', 'a/b c'],
    ['S3://bucket/100%25', 'bucket', '100%25'],
  ])('%s is in a bucket', (location, bucket, key) => {
    expect(parseStorageLocation(location)).toEqual({ kind: 's3', bucket, key });
    expect(parseStorageLocation(s3Url(bucket, key))).toEqual({ kind: 's3', bucket, key });
  });

  it.each(['/mnt/checkpoints', 'relative', 'C:\\data', './a:b'])('%s is a path', (path) => {
    expect(parseStorageLocation(path)).toEqual({ kind: 'path', path });
  });

  it.each([
    '', 's3://', 's3:///key', 's3://b', 's3://bucket//key', 's3://bucket/../key', 's3://bucket/a/./b', 's3://bu cket/k',
    's3://bucket/a\nb', 'gs://bucket/key', 'hdfs://namenode/path',
  ])('%j is neither', (location) => {
    expect(parseStorageLocation(location).kind).toBe('unusable');
  });
});
