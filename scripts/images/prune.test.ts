import { describe, expect, it } from '@jest/globals';

import { isRead } from './prune.ts';

describe('files of packages in an image', () => {
  it.each([
    ['rocksdb-native/prebuilds/linux-x64', true],
    ['rocksdb-native/prebuilds/darwin-arm64', false],
    ['rocksdb-native/prebuilds/linux-arm64', false],
    ['async/docs', false],
    ['@grpc/grpc-js/test', false],
    ['a/node_modules/b/test', false],
    // Code, in spite of its name: the folder of a package, and one deeper down.
    ['test', true],
    ['@scope/test', true],
    ['yaml/dist/doc', true],
    ['a/node_modules/test', true],
  ])('folder %s: %s', (path, expected) => {
    expect(isRead(path, true, 'linux-x64')).toBe(expected);
  });

  it.each([
    ['yaml/dist/index.js', true],
    ['yaml/package.json', true],
    ['@grpc/proto-loader/descriptor.proto', true],
    ['libpg-query/wasm/libpg-query.wasm', true],
    ['a/LICENSE', true],
    ['a/index.d.mts', false],
    ['a/index.d.ts', false],
    ['a/index.js.map', false],
    ['a/README.md', false],
    ['a/.npmignore', false],
  ])('file %s: %s', (path, expected) => {
    expect(isRead(path, false, 'linux-x64')).toBe(expected);
  });
});
