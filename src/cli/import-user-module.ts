import { registerHooks } from 'node:module';

let isProvided = false;

/**
 * Imports a module of a user by its `file:` URL. It may import `millrace` and `millrace/testing` from wherever it is:
 * it gets what runs it, so that a job needs no package beside it, and never another version than the engine's.
 */
export function importUserModule(url: string): Promise<unknown> {
  provideMillrace();
  return import(url);
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
      return provider === undefined ? next(specifier, context) : { url: provider, shortCircuit: true };
    },
  });
}
