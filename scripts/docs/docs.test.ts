import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { errorRows } from '../../src/cli/index.ts';
import { generatedPages } from './index.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'docs', 'generated');

describe('docs/generated', () => {
  const pages = generatedPages();

  it('holds the generated pages and nothing else', () => {
    expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort());
  });

  it.each([...pages])('%s is what the code says (else: npm run docs)', (name, text) => {
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  });
});

describe('the tables that the docs are made from', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|^testing|fixtures/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, 'src', path), 'utf8') }));

  it('name every error code that a room defines', () => {
    const defined = sources
      .filter(({ path }) => path.endsWith('errors.ts'))
      .flatMap(({ text }) => [...text.matchAll(/^\s*'(MR-[A-Z0-9-]+)':/gm)].map(([, code]) => code ?? ''));
    expect([...errorRows.keys()].sort()).toEqual([...new Set(defined)].sort());
  });

  it('name every error code that is used', () => {
    const codes = /'(MR-[A-Z0-9]+(?:-[A-Z0-9]+)*)'/g;
    const used = sources.flatMap(({ text }) => [...text.matchAll(codes)].map(([, code]) => code ?? ''));
    expect(used.filter((code) => !errorRows.has(code))).toEqual([]);
  });

  it('say what happened and what to do about it', () => {
    for (const [code, row] of errorRows) {
      expect({ code, isGood: row.message.length > 0 && row.help.length > 0 }).toEqual({ code, isGood: true });
    }
  });
});
