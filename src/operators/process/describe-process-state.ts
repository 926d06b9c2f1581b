import type { CodeLoader, StateSchema } from '../../core/index.ts';
import type { ProcessSpec } from './process-spec.ts';
import { setUp } from './process-setup.ts';
import { thrownBy } from './thrown-by.ts';
import { userFunctionOf } from './user-function.ts';
import { UserKeys } from './user-keys.ts';

const NO_TIMES = { reachedMs: () => -Infinity, writeTimeMs: () => -Infinity };

/** What a process step keeps; null where it is nothing. Loads its code, and calls open() and close() of it. */
export async function describeProcessState(spec: ProcessSpec, loadCode: CodeLoader): Promise<StateSchema | null> {
  if (spec.keys.length === 0 || spec.role !== 'process') return null;
  const { code, isObject } = userFunctionOf(await loadCode(spec.code), spec);
  if (!isObject) return null;
  const keys = new UserKeys(spec, NO_TIMES);
  await setUp(code, { spec, context: { subtaskIndex: 0, parallelism: 1, counter: () => ({ value: 0 }) }, keys });
  try {
    await code.close?.();
  } catch (error) {
    throw thrownBy(error, 'close()', spec);
  }
  return keys.schema();
}
