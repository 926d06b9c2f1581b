import { nearestName } from '../../core/index.ts';
import type { CodeOfSteps, CodeReference } from '../../core/index.ts';
import { codeErrors } from './code-errors.ts';

/** The code that a reference means, of the module that it names. */
export function pickCode(module: unknown, { module: url, name, step }: CodeReference): unknown {
  const exports = module as Readonly<Record<string, unknown>>;
  if (!Object.hasOwn(exports, name)) {
    const nearest = nearestName(name, Object.keys(exports));
    const hint = nearest === null ? '' : `; did you mean \`${nearest}\`?`;
    throw codeErrors.create('MR-CODE-EXPORT', { module: url, name, hint });
  }
  const exported = exports[name];
  if (step === null) return exported;
  if (!hasCode(exported)) {
    throw codeErrors.create('MR-CODE-SHAPE', { module: url, name, problem: 'it is no job of the TypeScript API' });
  }
  const code = exported.codeOf(step);
  if (code !== undefined) return code;
  throw codeErrors.create('MR-CODE-SHAPE', { module: url, name, problem: `it has no code for the step ${step}` });
}

function hasCode(exported: unknown): exported is CodeOfSteps {
  if (typeof exported !== 'object' || exported === null) return false;
  return 'codeOf' in exported && typeof exported.codeOf === 'function';
}
