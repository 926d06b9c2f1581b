import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { runCheck, type CheckResult } from './index.ts';

/** A project with one fault for the compiler, one for ESLint and one for the house. */
describe('npm run check', () => {
  const project = join(import.meta.dirname, '..', '..');
  let root: string;
  let results: readonly CheckResult[];

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'millrace-check-'));
    for (const name of ['package.json', 'eslint.config.mjs']) copyFileSync(join(project, name), join(root, name));
    symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'));
    mkdirSync(join(root, 'src', 'core'), { recursive: true });
    const options = { extends: join(project, 'tsconfig.json'), compilerOptions: { incremental: false } };
    writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ ...options, include: ['src'] }));
    writeFileSync(join(root, 'src', 'core', 'README.md'), '');
    writeFileSync(join(root, 'src', 'core', 'index.ts'), "export { late } from './late.ts';\n");
    writeFileSync(
      join(root, 'src', 'core', 'late.ts'),
      'async function wait(): Promise<number> {\n  return Date.now();\n}\nexport const late: string = 5;\nwait();\n',
    );
    results = await runCheck(root);
  }, 60_000);

  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });

  const findingsOf = (name: string): readonly string[] => results.find((each) => each.name === name)?.findings ?? [];

  it('reports what the compiler finds', () => {
    expect(findingsOf('types')).toEqual([expect.stringMatching(/^src\/core\/late\.ts:4:14: types: error TS2322/)]);
  });

  it('reports what ESLint finds', () => {
    expect(findingsOf('lint')).toContainEqual(
      expect.stringMatching(/^src\/core\/late\.ts:5:1: @typescript-eslint\/no-floating-promises/),
    );
  });

  it('reports what the house finds', () => {
    expect(findingsOf('package-homes')).toEqual([]);
    expect(findingsOf('dead-files')).toContainEqual(expect.stringMatching(/^src\/core\/late\.ts:1:1: dead-files: /));
  });
});
