import { describe, expect, it } from '@jest/globals';
import { formatProcessAddress, parseProcessAddress, splitAddress } from './address.ts';

describe('the address of a process', () => {
  it.each([
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['node-1.example:65535', 'node-1.example', 65_535],
    ['[::1]:7', '::1', 7],
    ['[fe80::1:2]:7', 'fe80::1:2', 7],
  ])('%s is read and written', (text, host, port) => {
    expect(parseProcessAddress(text)).toEqual({ host, port });
    expect(formatProcessAddress({ host, port })).toBe(text);
  });

  it.each(['', ':', 'a', 'a:', ':1', 'a:0', 'a:65536', 'a:1x', 'a:-1', '::1:7', '[::1]', '[a]:1 ', 'a/b:1', 'u@[::1'])(
    '%j is none',
    (text) => {
      expect(parseProcessAddress(text)).toBeNull();
    },
  );

  it('ends where the name of a gateway begins', () => {
    expect(splitAddress('[::1]:7/jobmaster/0a')).toEqual({ process: '[::1]:7', name: 'jobmaster/0a' });
    expect(splitAddress('a:7')).toEqual({ process: 'a:7', name: '' });
  });
});
