import { describe, expect, it } from '@jest/globals';

import { formatFinding, houseChecks, parseSourceTree } from './index.ts';

const FACTS = {
  dependencies: { kafkajs: '1', yaml: '1', newcomer: '1' },
  devDependencies: { jest: '1' },
  scripts: { check: 'node scripts/check.ts' },
};

/** What one check says about these files. */
function findings(rule: string, texts: Readonly<Record<string, string>>, others: readonly string[] = []): string[] {
  const check = houseChecks.find((each) => each.rule === rule);
  if (check === undefined) throw new Error(`there is no rule ${rule}`);
  const tree = parseSourceTree(new Map(Object.entries(texts)), new Set(others), FACTS);
  return check.find(tree).map(formatFinding);
}

/** A product that begins in src/cli/main.ts and leads to this file. */
function shipping(path: string, text: string): Readonly<Record<string, string>> {
  return { 'src/cli/main.ts': `import '../../${path}';`, [path]: text };
}

/** What only tests lead to is not. */
function isShippable(path: string): boolean {
  return path.startsWith('src/') && !/\.test\.|fixtures/.test(path);
}

describe('room-imports', () => {
  const core = { 'src/core/index.ts': '', 'src/core/node-ports.ts': '', 'src/core/types.ts': '' };

  it('lets tests name the types of any room', () => {
    const texts = { 'src/ha/index.ts': '', 'src/expr/a.test.ts': "import type { Lead } from '../ha/index.ts';" };
    expect(findings('room-imports', texts)).toEqual([]);
    const value = { ...texts, 'src/expr/a.test.ts': "import { lead } from '../ha/index.ts';" };
    expect(findings('room-imports', value)).toHaveLength(1);
  });

  it('lets everyone import core and a room that the table allows', () => {
    const texts = {
      ...core,
      'src/expr/index.ts': "import { a } from '../core/index.ts';",
      'src/graph/lint.ts': "import { a } from '../expr/index.ts';",
      'src/testing/index.ts': "import { nodePorts } from '../core/node-ports.ts';",
      'src/graph/lint.test.ts': "import { kit } from '../testing/index.ts';",
      'bench/main.ts': "import { kit } from '../src/testing/index.ts';",
    };
    expect(findings('room-imports', texts)).toEqual([]);
  });

  it('refuses a room that the table does not allow', () => {
    const texts = { 'src/expr/index.ts': '', 'src/ha/index.ts': "\nimport { a } from '../expr/index.ts';" };
    expect(findings('room-imports', texts)).toEqual([
      'src/ha/index.ts:2:19: room-imports: ha may not import expr, only: core, metrics',
    ]);
  });

  it('refuses values where only types may be imported', () => {
    const texts = {
      'src/graph/index.ts': '',
      'src/rpc/a.ts': "import type { JobGraph } from '../graph/index.ts';",
      'src/rpc/b.ts': "import { type JobGraph, compile } from '../graph/index.ts';",
      'src/rpc/c.ts': "export { compile } from '../graph/index.ts';",
    };
    expect(findings('room-imports', texts)).toEqual([
      expect.stringContaining('src/rpc/b.ts:1:40: room-imports: rpc may import types of graph only'),
      expect.stringContaining('src/rpc/c.ts'),
    ]);
  });

  it.each([
    ['a file inside another room', 'src/expr/a.ts', '../core/types.ts', 'is inside room core'],
    ['the real ports', 'src/expr/a.ts', '../core/node-ports.ts', 'take a Ports value instead'],
    ['the command line', 'src/expr/a.ts', '../cli/index.ts', 'no room imports cli'],
    ['the test kit', 'src/expr/a.ts', '../testing/index.ts', 'testing is for tests'],
    ['the scripts', 'src/expr/a.ts', '../../scripts/x.ts', 'src/ imports nothing outside src/'],
    ['an inner file, from outside', 'bench/a.ts', '../src/core/types.ts', 'is inside room core'],
    ['what is not there', 'src/expr/a.ts', './gone.ts', 'src/expr/gone.ts does not exist'],
    ['a file, by a dynamic import', 'src/expr/a.ts', 'DYNAMIC', 'is inside room core'],
  ])('refuses %s', (_what, from, specifier, message) => {
    const text =
      specifier === 'DYNAMIC' ? "const a = await import('../core/types.ts');" : `import { a } from '${specifier}';`;
    const texts = { ...core, 'src/cli/index.ts': '', 'src/testing/index.ts': '', 'scripts/x.ts': '', [from]: text };
    expect(findings('room-imports', texts)).toEqual([expect.stringContaining(message)]);
  });
});

describe('import-cycles', () => {
  it('shows the way round', () => {
    const texts = {
      'src/core/a.ts': "import { b } from './b.ts';",
      'src/core/b.ts': "export { c } from './c.ts';",
      'src/core/c.ts': "import { a } from './a.ts';",
    };
    expect(findings('import-cycles', texts)).toEqual([
      expect.stringContaining('src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts'),
    ]);
  });

  it('lets types refer to each other', () => {
    const texts = {
      'src/core/a.ts': "import type { b } from './b.ts';",
      'src/core/b.ts': "import { a } from './a.ts';",
    };
    expect(findings('import-cycles', texts)).toEqual([]);
  });
});

describe('package-homes', () => {
  it.each([
    ['src/connectors/kafka/client/a.ts', 'kafkajs', null],
    ['src/connectors/kafka/client/a.ts', 'kafkajs/src/broker', null],
    ['src/connectors/kafka/a.ts', 'kafkajs', 'kafkajs lives in src/connectors/kafka/client/'],
    ['src/core/a.ts', 'newcomer', 'newcomer has no home yet'],
    ['src/core/a.ts', 'jest', 'jest is not in the dependencies'],
    ['src/core/a.test.ts', 'jest', null],
    ['src/core/fixtures/a.ts', 'jest', null],
    ['integration/a.test.ts', '@scope/stranger/deep', '@scope/stranger is not in package.json'],
    ['src/core/a.ts', 'node:path', null],
  ])('%s importing %s', (path, specifier, message) => {
    const text = `import { a } from '${specifier}';`;
    const found = findings('package-homes', isShippable(path) ? shipping(path, text) : { [path]: text });
    expect(found).toEqual(message === null ? [] : [expect.stringContaining(message)]);
  });
});

describe('late-loading', () => {
  const role = 'src/cli/cluster/dispatcher-role.ts';
  const door = { 'src/graph/index.ts': '', 'src/dispatcher/index.ts': "import '../graph/index.ts';" };

  it('shows the way to what is loaded at the start', () => {
    const texts = { ...door, [role]: "import { a } from '../../dispatcher/index.ts';\nimport 'yaml/deep';" };
    expect(findings('late-loading', texts)).toEqual([
      expect.stringContaining(`${role} → src/dispatcher/index.ts → graph`),
      expect.stringContaining(`${role} → yaml`),
    ]);
  });

  it('lets it be loaded late, and types and rooms with similar names at once', () => {
    const text = "import type { A } from '../../graph/index.ts';\nimport 'yaml-like';\nimport '../../graphs/index.ts';";
    const late = "\nvoid import('../../dispatcher/index.ts');\nvoid import('yaml');";
    expect(findings('late-loading', { ...door, [role]: text + late })).toEqual([]);
  });
});

describe('bans', () => {
  it.each([
    ['const now = Date.now();', 'Date.now is banned: use ports.clock.nowMs()'],
    ['const now = new Date();', 'Date.now is banned'],
    ['const f = Math.random;', 'Math.random is banned'],
    ['setTimeout(() => {}, 1);', 'setTimeout is banned'],
    ['globalThis.setTimeout(() => {}, 1);', 'setTimeout is banned'],
    ['console.log(1);', 'console is banned'],
    ['const home = process.env.HOME;', 'process.env is banned'],
    ["import { readFileSync } from 'node:fs';", 'node:fs is banned: use ports.files'],
    ["import { readFileSync } from 'fs';", 'node:fs is banned'],
  ])('%s', (text, message) => {
    expect(findings('bans', shipping('src/expr/a.ts', text))).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['src/core/node-ports.ts', 'const now = Date.now();'],
    ['src/expr/a.test.ts', 'setTimeout(() => {}, 1);'],
    ['src/expr/fixtures/a.ts', 'setTimeout(() => {}, 1);'],
    ['scripts/a.ts', 'console.log(1);'],
    ['src/expr/a.ts', 'const date = new Date(5); const o = { setTimeout: 1 }; o.setTimeout; // Date.now()'],
    ['src/expr/a.ts', "import type { Stats } from 'node:fs';"],
  ])('lets %s say %s', (path, text) => {
    expect(findings('bans', isShippable(path) ? shipping(path, text) : { [path]: text })).toEqual([]);
  });
});

describe('tidiness', () => {
  it('measures lines in characters', () => {
    const texts = { 'src/core/a.ts': `// ${'é'.repeat(117)}\n// ${'é'.repeat(118)}` };
    expect(findings('line-length', texts)).toEqual(['src/core/a.ts:2:121: line-length: 121 columns, at most 120']);
  });

  it('measures functions, but not the suites of tests', () => {
    const body = '  let a = 1;\n'.repeat(69);
    const long = `function f() {\n${body}}\n`;
    const fits = `function f() {\n${body.slice(body.indexOf('\n') + 1)}}\n`;
    const [found] = findings('function-length', { 'scripts/a.ts': long });
    expect(found).toContain('71 lines, at most 70');
    expect(findings('function-length', { 'scripts/a.ts': fits })).toEqual([]);
    const suite = `describe('x', () => {\n${body}\n});`;
    expect(findings('function-length', { 'src/core/a.test.ts': suite })).toEqual([]);
    expect(findings('function-length', { 'src/core/a.ts': suite })).toHaveLength(1);
  });

  it('finds what was left for later', () => {
    const later = ['// TO', 'DO: finish'].join('');
    expect(findings('leftovers', { 'bench/a.ts': `let a;\n${later}` })).toEqual([
      expect.stringContaining('bench/a.ts:2:4: leftovers'),
    ]);
    const alone = ['it.on', "ly('x', () => {});"].join('');
    expect(findings('leftovers', { 'src/core/a.test.ts': alone })).toHaveLength(1);
    expect(findings('leftovers', { 'src/core/a.ts': '// a hacker does todos' })).toEqual([]);
  });

  it('wants names that say something', () => {
    const good = ['src/core/good-name.test.ts', 'src/core/good.property.test.ts'];
    const paths = ['src/core/utils.ts', 'src/core/myFile.ts', 'src/core/common.test.ts', ...good];
    const found = findings('file-names', Object.fromEntries(paths.map((path) => [path, ''])));
    expect(found).toEqual([
      expect.stringContaining('`utils` says nothing'),
      expect.stringContaining('`myFile` is not in kebab-case'),
      expect.stringContaining('`common` says nothing'),
    ]);
  });

  it('wants a page and a door in every room', () => {
    const texts = { 'src/core/types.ts': '', 'src/expr/index.ts': '', 'src/cli/main.ts': '' };
    expect(findings('room-pages', texts, ['src/expr/README.md', 'src/cli/README.md'])).toEqual([
      'src/core/README.md:1:1: room-pages: the room has no README.md',
      'src/core/index.ts:1:1: room-pages: the room has no index.ts',
    ]);
  });
});

describe('dead code', () => {
  const texts = {
    'scripts/check.ts': "import { used } from './a/index.ts';",
    'scripts/a/index.ts': "export { used, unused } from './b.ts';\nexport * from './c.ts';",
    'scripts/a/b.ts': 'export const used = 1;\nexport function unused() {}\nexport interface Shape {}',
    'scripts/a/c.ts': 'export class Passed {}',
    'scripts/a/d.ts': "import { Passed } from './index.ts';",
    'scripts/a/d.test.ts': "import './d.ts';",
    'scripts/a/e.ts': '',
    'scripts/a/d.worker.test.ts': "new Worker(new URL('./thread.ts', import.meta.url));",
    'scripts/a/thread.ts': '',
    'bench/micro/by-hand.ts': '',
  };

  it('finds files that nothing leads to', () => {
    expect(findings('dead-files', texts)).toEqual([expect.stringContaining('scripts/a/e.ts:1:1')]);
  });

  it('finds exports that nothing imports, through doors too', () => {
    expect(findings('dead-exports', texts)).toEqual([
      'scripts/a/b.ts:2:17: dead-exports: nothing imports `unused`: use it, or drop the export',
    ]);
  });

  it('leaves the exports of examples to job files', () => {
    expect(findings('dead-exports', { 'examples/a/rules.ts': 'export class Rules {}' })).toEqual([]);
  });

  it('counts an import of everything', () => {
    const all = { ...texts, 'scripts/a/d.test.ts': "import * as all from './index.ts'; import './d.ts';" };
    expect(findings('dead-exports', all)).toEqual([]);
  });
});
