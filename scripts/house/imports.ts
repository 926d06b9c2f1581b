import type { Finding, HouseCheck } from './finding.ts';
import { clientHomes, entryPoints, lateParts, rooms, roots, sideDoors, testOnlyRooms, VOCABULARY } from './rooms.ts';
import { isTest, reachedFrom, roomOf, type ImportUse, type SourceFile, type SourceTree } from './source-tree.ts';

function finding(file: SourceFile, use: ImportUse, rule: string, message: string): Finding {
  return { file: file.path, line: use.line, column: use.column, rule, message };
}

/** Which room may import which, through index.ts only: the table of rooms.ts. */
export const roomImports: HouseCheck = {
  rule: 'room-imports',
  find(tree) {
    const found: Finding[] = [];
    for (const file of tree.files.values()) {
      for (const use of file.imports) {
        if (use.target === null) continue;
        const problem = tree.files.has(use.target) ? problemOf(file, use, use.target) : missing(tree, use.target);
        if (problem !== null) found.push(finding(file, use, 'room-imports', problem));
      }
    }
    return found;
  },
};

function missing(tree: SourceTree, target: string): string | null {
  const isOurs = /^(src|scripts|integration|bench|examples)\//.test(target);
  return !isOurs || tree.others.has(target) ? null : `${target} does not exist (imports name the file, with .ts)`;
}

function problemOf(file: SourceFile, use: ImportUse, target: string): string | null {
  const from = roomOf(file.path);
  const to = roomOf(target);
  if (!target.startsWith('src/')) {
    return file.path.startsWith('src/') && !isTest(file.path) ? `src/ imports nothing outside src/: ${target}` : null;
  }
  if (to === null || from === to) return null;
  const isDoor = target === `src/${to}/index.ts`;
  const sideDoor = sideDoors[target];
  if (!isDoor && sideDoor === undefined) return `${target} is inside room ${to}: import src/${to}/index.ts`;
  if (from === null) {
    // src/index.ts and the folders outside src/ may use any room; only tests and tools reach for test kits.
    return testOnlyRooms.includes(to) && file.path.startsWith('src/') ? `${to} is for tests` : null;
  }
  if (sideDoor !== undefined) {
    const allowed = sideDoor.includes(from) || isTest(file.path);
    return allowed ? null : `${target} is for ${sideDoor.join(', ')} and tests: take a Ports value instead`;
  }
  return roomProblem(from, to, use, isTest(file.path));
}

function roomProblem(from: string, to: string, use: ImportUse, inTest: boolean): string | null {
  const room = rooms[from];
  if (room === undefined) return `room ${from} is not in scripts/house/rooms.ts`;
  if (roots.includes(to)) return `no room imports ${to}`;
  if (testOnlyRooms.includes(to)) return inTest ? null : `${to} is for tests`;
  if (to === VOCABULARY || room.mayImport.includes(to)) return null;
  // A test speaks of what the test kit hands it, whatever room that comes from.
  if (inTest && use.typeOnly) return null;
  const allowed = [VOCABULARY, ...room.mayImport].join(', ');
  if (room.typesOf?.includes(to) === true) {
    return use.typeOnly ? null : `${from} may import types of ${to} only: write \`import type\``;
  }
  return `${from} may not import ${to}, only: ${allowed}`;
}

/** No import leads back to where it came from. Types may: they are gone when the program runs. */
export const importCycles: HouseCheck = {
  rule: 'import-cycles',
  find(tree) {
    const found: Finding[] = [];
    const done = new Set<string>();
    const path: string[] = [];
    const visit = (name: string): void => {
      const file = tree.files.get(name);
      if (file === undefined || done.has(name)) return;
      path.push(name);
      for (const use of file.imports) {
        if (use.target === null || use.typeOnly) continue;
        const start = path.indexOf(use.target);
        if (start >= 0) {
          const cycle = [...path.slice(start), use.target].join(' → ');
          found.push(finding(file, use, 'import-cycles', `${cycle}: move what both need to a third file`));
        } else visit(use.target);
      }
      path.pop();
      done.add(name);
    };
    for (const name of tree.files.keys()) visit(name);
    return found;
  },
};

/** Each third-party package of the product has one home, and is declared in package.json. */
export const packageHomes: HouseCheck = {
  rule: 'package-homes',
  find(tree) {
    const shipped = reachedFrom(tree, entryPoints);
    const found: Finding[] = [];
    for (const file of tree.files.values()) {
      for (const use of file.imports) {
        if (use.target !== null || use.specifier.startsWith('node:')) continue;
        const name = use.specifier.split('/').slice(0, use.specifier.startsWith('@') ? 2 : 1).join('/');
        const problem = shipped.has(file.path) ? shippedProblem(tree, file, name) : undeclared(tree, name);
        if (problem !== null) found.push(finding(file, use, 'package-homes', problem));
      }
    }
    return found;
  },
};

/** What a process that waits for work does not need yet, it does not load when it starts. */
export const lateLoading: HouseCheck = {
  rule: 'late-loading',
  find(tree) {
    const found: Finding[] = [];
    for (const { start, late } of lateParts) {
      const reached = new Set<string>();
      const visit = (path: string, way: readonly string[]): void => {
        const file = tree.files.get(path);
        if (file === undefined || reached.has(path)) return;
        reached.add(path);
        for (const use of file.imports) {
          if (use.typeOnly || use.isLate === true) continue;
          const part = late.find((each) => isPartOf(use, each));
          if (part === undefined) {
            visit(use.target ?? '', [...way, path]);
            continue;
          }
          const whole = [...way, path, part].join(' → ');
          found.push(finding(file, use, 'late-loading', `${whole}: import() it where it is used, not at the start`));
        }
      };
      visit(start, []);
    }
    return found;
  },
};

function isPartOf({ target, specifier }: ImportUse, part: string): boolean {
  return target === null ? specifier === part || specifier.startsWith(`${part}/`) : target.startsWith(`src/${part}/`);
}

/** The package itself, as its users import it. */
const OWN_NAME = 'millrace';

function undeclared(tree: SourceTree, name: string): string | null {
  const declared = name === OWN_NAME || tree.dependencies.has(name) || tree.devDependencies.has(name);
  return declared ? null : `${name} is not in package.json`;
}

function shippedProblem(tree: SourceTree, file: SourceFile, name: string): string | null {
  if (!tree.dependencies.has(name)) return `${name} is not in the dependencies of package.json`;
  const home = clientHomes[name];
  if (home === undefined) return `${name} has no home yet: give it one in scripts/house/rooms.ts`;
  return file.path.startsWith(home) ? null : `${name} lives in ${home}: use what that offers`;
}
