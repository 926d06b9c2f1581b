import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { runFake } from './fixtures/fake-context.ts';

const root = join(import.meta.dirname, '..', '..');
const VARIABLES = { HOST: 'localhost', PORT: '9999', ORDERS: 'orders.jsonl' };

function filesOf(folder: string, extension: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name));
}

const yamlFiles = (folder: string): string[] => filesOf(folder, '.yaml');
/** The code of steps. */
const modules = filesOf('examples', '.ts');

/** Job files that stand in Markdown. */
function jobsIn(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
  return blocks.filter((block) => /^name:/m.test(block));
}

const userDocs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const pages = ['README.md', ...userDocs.map((name) => join('docs', name))];

describe('examples', () => {
  it.each(yamlFiles('examples'))('%s is valid', async (path) => {
    const files = Object.fromEntries([path, ...modules].map((file) => [file, readFileSync(join(root, file), 'utf8')]));
    const result = await runFake(['lint', path], { files, variables: VARIABLES });
    expect(result).toMatchObject({ output: `${path}: valid\n` });
  });

  it.each(pages.flatMap((page) => jobsIn(page).map((text, i) => [`${page} (${i + 1})`, text])))(
    'the job in %s is valid',
    async (_name, text = '') => {
      expect(await runFake(['lint', '-'], { standardInput: text, variables: VARIABLES })).toMatchObject({
        output: '<stdin>: valid\n',
      });
    },
  );

  it('are there', () => {
    expect(yamlFiles('examples').length).toBeGreaterThanOrEqual(8);
    expect(pages.flatMap(jobsIn).length).toBeGreaterThanOrEqual(1);
  });
});
