import { codeOfJobStep } from '../api/index.ts';
import type { CodeReference } from '../core/index.ts';
import { isMillraceError, messageOf, systemErrorCode } from '../core/index.ts';
import { codeErrors, pickCode } from '../operators/index.ts';
import type { CommandContext } from './command-context.ts';
import { importUserModule } from './import-user-module.ts';

/** Imports the code of a step on the calling thread. Node runs TypeScript by leaving its types out. */
export async function loadCode(
  reference: CodeReference,
  importModule: CommandContext['importModule'] = importUserModule,
): Promise<unknown> {
  const { module, name, step } = reference;
  try {
    const namespace = await importModule(module);
    return await (step === null ? pickCode(namespace, reference) : codeOfJobStep(namespace, reference));
  } catch (error) {
    if (isMillraceError(error)) throw error;
    const code = systemErrorCode(error) ?? '';
    throw codeErrors.create('MR-CODE-IMPORT', { module, name, reason: `${code}${messageOf(error)}` }, error);
  }
}
