import { registerHooks } from 'node:module';

/** What a module of a user imports: the words in its text, and what is meant. */
export interface UserImport {
  readonly specifier: string;
  readonly url: string;
}

let isProvided = false;
/** URLs that were imported as modules of users, and what was really meant (links are followed). */
const roots = new Map<string, string | null>();
/** Of each module of a user that was loaded on this thread: what each specifier in it means. */
const imports = new Map<string, Map<string, string>>();

/**
 * Imports a module of a user by its `file:` URL. It may import `millrace` and `millrace/testing` from wherever it is:
 * it gets what runs it, so that a job needs no package beside it, and never another version than the engine's.
 */
export function importUserModule(url: string): Promise<unknown> {
  provideMillrace();
  if (!roots.has(url)) roots.set(url, null);
  return import(url);
}

/**
 * The module and all that it has imported so far by relative paths, directly or not, each with its imports; what the
 * engine provides is not among them. For modules that importUserModule has imported on this thread.
 */
export function modulesBehind(url: string): ReadonlyMap<string, readonly UserImport[]> {
  const found = new Map<string, readonly UserImport[]>();
  const visit = (module: string): void => {
    if (found.has(module)) return;
    const own = [...(imports.get(module) ?? [])].map(([specifier, target]) => ({ specifier, url: target }));
    found.set(module, own);
    for (const each of own) if (isRelative(each.specifier)) visit(each.url);
  };
  visit(roots.get(url) ?? url);
  return found;
}

export function isRelative(specifier: string): boolean {
  return /^\.{1,2}\//.test(specifier);
}

/** Once per thread. */
function provideMillrace(): void {
  if (isProvided) return;
  isProvided = true;
  // The files have the ending of this one: .ts in a checkout, .js in a package.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const provided = new Map([
    ['millrace', new URL(`../index.${ending}`, import.meta.url).href],
    ['millrace/testing', new URL(`../testing/kit/index.${ending}`, import.meta.url).href],
  ]);
  registerHooks({
    resolve(specifier, context, next) {
      const provider = provided.get(specifier);
      if (provider !== undefined) return { url: provider, shortCircuit: true };
      const found = next(specifier, context);
      note(specifier, context.parentURL, found.url);
      return found;
    },
  });
}

function note(specifier: string, parent: string | undefined, url: string): void {
  if (roots.get(specifier) === null) {
    roots.set(specifier, url);
    if (!imports.has(url)) imports.set(url, new Map());
    return;
  }
  const ofParent = parent === undefined ? undefined : imports.get(parent);
  if (ofParent === undefined) return;
  ofParent.set(specifier, url);
  if (isRelative(specifier) && !imports.has(url)) imports.set(url, new Map());
}
