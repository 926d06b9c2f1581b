import { nearestName } from '../../core/index.ts';
import type { CodeReference } from '../../core/index.ts';
import { codeErrors } from './code-errors.ts';

/** The export of a module that a reference of a job file means. */
export function pickCode(module: unknown, { module: url, name }: CodeReference): unknown {
  const exports = module as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(exports, name)) return exports[name];
  const nearest = nearestName(name, Object.keys(exports));
  const hint = nearest === null ? '' : `; did you mean \`${nearest}\`?`;
  throw codeErrors.create('MR-CODE-EXPORT', { module: url, name, hint });
}
