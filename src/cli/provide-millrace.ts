import { registerHooks } from 'node:module';

let isProvided = false;

/**
 * Lets modules of users import `millrace` and `millrace/testing` from wherever they are: they get what runs them, so
 * that a job needs no package beside it, and never another version than the engine's. Once per thread.
 */
export function provideMillrace(): void {
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
      const url = provided.get(specifier);
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
    },
  });
}
