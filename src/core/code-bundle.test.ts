import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { bundleOf, codeUrl, parseCodeUrl, readBundle } from './code-bundle.ts';

function read(files: Readonly<Record<string, string>>) {
  const reading = bundleOf(files);
  if (reading.kind === 'refused') throw new Error(reading.reason);
  return reading.bundle;
}

describe('the code of a job', () => {
  it('is known by its files alone, and refused where a byte of it is another', () => {
    const bundle = read({ 'b/two.ts': 'export const b = 2;', 'a.ts': "import './b/two.ts';" });
    expect(read({ 'a.ts': "import './b/two.ts';", 'b/two.ts': 'export const b = 2;' })).toEqual(bundle);
    expect(readBundle(bundle.text, bundle.hash)).toEqual({ kind: 'read', bundle });
    for (const text of [bundle.text.replace('= 2', '= 3'), bundle.text.slice(1), '', 'null', '{"version":1}']) {
      expect(readBundle(text, bundle.hash)).toMatchObject({ kind: 'refused' });
    }
  });

  it.each([
    ['../a.ts', 'no path below a folder'],
    ['/a.ts', 'no path below a folder'],
    ['a/../../b.ts', 'no path below a folder'],
    ['a//b.ts', 'no path below a folder'],
    ['a\\..\\b.ts', 'characters'],
    ['C:a.ts', 'characters'],
    ['a\0.ts', 'characters'],
    ['%2e%2e/a.ts', 'characters'],
    ['node_modules/x/a.js', 'installed package'],
    ['a.node', 'neither TypeScript'],
    ['a', 'neither TypeScript'],
    [`${'x'.repeat(300)}.ts`, 'too long'],
  ])('has no file %j', (path, reason) => {
    expect(bundleOf({ [path]: '' })).toMatchObject({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  it('has its limits', () => {
    expect(bundleOf({})).toMatchObject({ reason: expect.stringContaining('no files') });
    expect(bundleOf({ 'a.ts': '', 'a.ts/b.ts': '' })).toMatchObject({ reason: expect.stringContaining('a folder') });
    expect(bundleOf({ 'a.ts': 'x'.repeat(5_000_000) })).toMatchObject({ reason: expect.stringContaining('bytes') });
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`f${index}.ts`, '']));
    expect(bundleOf(many)).toMatchObject({ reason: expect.stringContaining('1001 files') });
  });

  it('is never found outside of its folder, whatever the URL', () => {
    const hash = 'a'.repeat(64);
    expect(parseCodeUrl(codeUrl({ hash, file: 'a/b.ts' }))).toEqual({ hash, file: 'a/b.ts' });
    for (const url of [`file:///${hash}/a.ts`, `millrace-code:${hash}/../a.ts`, 'millrace-code:abc/a.ts']) {
      expect(parseCodeUrl(url)).toBeNull();
    }
    const piece = fc.constantFrom('..', '.', '', '/', 'a.ts', 'b', '\\', '\0', '%2e');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const found = parseCodeUrl(`millrace-code:${hash}/${pieces.join('/')}`);
        if (found === null) return;
        const url = new URL(found.file, 'file:///root/');
        expect(url.href).toBe(`file:///root/${found.file}`);
      }),
    );
  });
});
