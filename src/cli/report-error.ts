import { isMillraceError, serializeError } from '../core/index.ts';
import { tell, type CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * Lines for people about an error. What users or the outside did never shows a stack trace; what we did always does,
 * because that is what a report needs.
 */
export function describeError(error: unknown): string {
  const { code, message, domain, fields, stack } = serializeError(error);
  const where = ['step', 'position']
    .filter((name) => Object.hasOwn(fields, name) && !message.includes(String(fields[name])))
    .map((name) => `${name} ${String(fields[name])}`)
    .join(', ');
  const lines = [`error ${code}: ${message}${where === '' ? '' : ` (${where})`}`];
  if (domain === 'internal' && stack !== null) lines.push(stack);
  else lines.push(`\`millrace help errors ${code}\` says more`);
  return lines.join('\n');
}

/** The form of an error in `--json` documents. */
export function errorDocument(error: unknown): Readonly<Record<string, unknown>> {
  const { code, message, domain, scope, fields, stack } = serializeError(error);
  return { code, message, domain, scope, fields, ...(domain === 'internal' ? { stack } : {}) };
}

/** Tells an error that ended a command, and returns its exit code. */
export function reportError(context: CommandContext, error: unknown): number {
  tell(context, describeError(error));
  return isMillraceError(error) && error.domain === 'user' ? exitCodes.usage : exitCodes.failed;
}

