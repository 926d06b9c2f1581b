import type { FormatDefinition } from '../../core/index.ts';
import { builtInFormats } from './built-in-formats.ts';
import { formatErrors } from './errors.ts';

/** The format that a step names. Lint has refused a step without one, or with one that does not exist. */
export function formatNamed(format: { readonly name: string } | null): FormatDefinition {
  const found = builtInFormats.find(({ name }) => name === format?.name);
  if (found !== undefined) return found;
  const problem = format === null ? 'the step names none' : 'there is no such format';
  throw formatErrors.create('MR-FORMAT-OPTIONS', { format: format?.name ?? '(none)', problem });
}
