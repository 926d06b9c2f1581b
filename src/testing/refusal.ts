import assert from 'node:assert/strict';

import { isMillraceError, systemErrorCode } from '../core/index.ts';

/** The code with which a call rejects, `resolved` where it does not; other errors are passed on. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'resolved';
  } catch (error) {
    const code = isMillraceError(error) ? error.code : systemErrorCode(error);
    if (code === null) throw error;
    return code;
  }
}

/** Fails unless the call rejects with this code. */
export async function refused(code: string, call: Promise<unknown>): Promise<void> {
  assert.equal(await codeOf(call), code);
}
