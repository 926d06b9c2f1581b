import type { CodeReference } from '../core/index.ts';
import { messageOf, systemErrorCode } from '../core/index.ts';
import { codeErrors, pickCode } from '../operators/index.ts';

/** Imports the code of a step on the calling thread. Node runs TypeScript by leaving its types out. */
export async function loadCode(reference: CodeReference): Promise<unknown> {
  const { module, name } = reference;
  let exported: unknown;
  try {
    exported = await import(module);
  } catch (error) {
    const code = systemErrorCode(error) ?? '';
    throw codeErrors.create('MR-CODE-IMPORT', { module, name, reason: `${code}${messageOf(error)}` }, error);
  }
  return pickCode(exported, reference);
}
