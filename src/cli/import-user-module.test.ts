import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from '@jest/globals';

const MODULES = {
  'job.ts': `import './steps.ts'; import { sep } from 'node:path'; import 'millrace'; void sep;
    import './rates.json' with { type: 'json' };`,
  'steps.ts': `import { type Rate, rate } from './rate.ts'; import type { Gone } from './gone.ts';
    const r: Rate = rate; export type G = Gone; void r;`,
  'rate.ts': "import './job.ts'; export type Rate = number; export const rate: Rate = 1;",
  'rates.json': '{}',
  'other.ts': 'export const other = 1;',
};

it('modules of users are known with what they import, as Node resolves it', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'modules-')));
  try {
    for (const [name, text] of Object.entries(MODULES)) writeFileSync(join(folder, name), text);
    symlinkSync('job.ts', join(folder, 'link.ts'));
    const url = (name: string): string => pathToFileURL(join(folder, name)).href;
    // Jest has loaders of its own.
    const tested = new URL('import-user-module.ts', pathToFileURL(__filename)).href;
    const script = `
      import { importUserModule, modulesBehind } from ${JSON.stringify(tested)};
      await importUserModule(${JSON.stringify(url('other.ts'))});
      await importUserModule(${JSON.stringify(url('link.ts'))});
      console.log(JSON.stringify([...modulesBehind(${JSON.stringify(url('link.ts'))})]));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const known = (specifier: string) => ({ specifier, url: url(specifier.slice(2)) });
    expect(JSON.parse(output)).toEqual([
      [url('job.ts'), [known('./steps.ts'), { specifier: 'node:path', url: 'node:path' }, known('./rates.json')]],
      [url('steps.ts'), [known('./rate.ts')]],
      [url('rate.ts'), [known('./job.ts')]],
      [url('rates.json'), []],
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
