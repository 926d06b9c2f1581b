import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseConnectString } from './connect-string.ts';
import { electionNodes, keyOfNode, ZooKeeperPaths } from './paths.ts';

describe('where ZooKeeper is', () => {
  it.each([
    ['zk', [{ host: 'zk', port: 2181 }], '/millrace'],
    ['zk:2182/', [{ host: 'zk', port: 2182 }], '/'],
    ['a.b:1, 10.0.0.1:2/x/y/', [{ host: 'a.b', port: 1 }, { host: '10.0.0.1', port: 2 }], '/x/y'],
    ['[::1]:2181,[fe80::1]/x', [{ host: '::1', port: 2181 }, { host: 'fe80::1', port: 2181 }], '/x'],
  ])('%s', (connect, servers, chroot) => {
    if (chroot === '/') expect(() => parseConnectString(connect)).toThrow('is no path for a cluster');
    else expect(parseConnectString(connect)).toEqual({ servers, chroot });
  });

  it.each(['', 'zk,', 'zk:', 'zk:0', 'zk:70000', 'http://zk', 'a b', '::1:2181', 'zk//x', 'zk/../x', 'zk/zookeeper'])(
    'is refused: %s',
    (connect) => {
      expect(() => parseConnectString(connect)).toThrow(expect.objectContaining({ code: 'MR-HA-CONNECT-STRING' }));
    },
  );
});

describe('the names of nodes', () => {
  const paths = new ZooKeeperPaths('/c/d');

  it('are those of the cluster, above what they need', () => {
    expect(paths.persistent).toEqual([
      '/c', '/c/d', '/c/d/election', '/c/d/taskmanagers', '/c/d/store', '/c/d/epoch',
    ]);
  });

  it('tell keys apart, and give them back', () => {
    const part = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('/'));
    const key = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(key, (each) => {
        const path = paths.value(each);
        expect(path).toMatch(/^\/c\/d\/store\/[A-Za-z0-9_~:]+$/);
        expect(keyOfNode(path.slice('/c/d/store/'.length))).toBe(each);
      }),
    );
  });

  it('say whose candidates are, in the order in which they came', () => {
    const name = (id: string, sequence: string): string =>
      paths.candidate(id, 'c0ffee').slice(`${paths.election}/`.length) + sequence;
    const names = [name('b-1', '0000000010'), 'else', name('a/…', '0000000009')];
    expect(electionNodes(names)).toEqual([
      { name: names[2], dispatcherId: 'a/…', guid: 'c0ffee', sequence: 9 },
      { name: names[0], dispatcherId: 'b-1', guid: 'c0ffee', sequence: 10 },
    ]);
  });
});
