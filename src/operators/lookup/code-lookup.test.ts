import { describe, expect, it } from '@jest/globals';
import { rowSchema, types } from '../../core/index.ts';
import type { LookupRow, LookupSpec } from '../../core/index.ts';
import { codeOf } from '../../testing/index.ts';
import { CodeLookup } from './code-lookup.ts';

const spec: LookupSpec = {
  stepId: 'l',
  connector: 'code',
  options: {},
  format: null,
  keys: rowSchema([
    { name: 'id', type: types.long },
    { name: 'day', type: types.date },
  ]),
  schema: rowSchema([
    { name: 'name', type: types.string },
    { name: 'price', type: types.decimal(10, 2) },
  ]),
};
const reference = { module: 'file:///x.ts', name: 'find', step: null };
const signal = new AbortController().signal;

async function ask(code: unknown, ...keys: readonly LookupRow[]): Promise<readonly (readonly LookupRow[])[]> {
  const reader = new CodeLookup(spec, reference, () => Promise.resolve(code));
  await reader.open();
  return reader.lookup(keys.length === 0 ? [[1n, 0]] : keys, signal);
}

describe('a lookup by code of users', () => {
  it('calls it with the key and the signal, and takes a row, several, or none', async () => {
    const seen: unknown[] = [];
    const answers: unknown[] = [{ name: 'a', price: '1.5' }, [{ name: 'b' }, { price: 2 }], null, undefined, []];
    const code = (key: object, call: { readonly signal: AbortSignal }): unknown => {
      seen.push(key, call.signal);
      return Promise.resolve(answers[seen.length / 2 - 1]);
    };
    const keys = [1n, 2n, 3n, 4n, 5n].map((id): LookupRow => [id, 1]);
    expect(await ask(code, ...keys)).toEqual([[['a', 150n]], [['b', null], [null, 200n]], [], [], []]);
    expect(seen.slice(0, 2)).toEqual([{ id: 1, day: '1970-01-02' }, signal]);
  });

  it.each<[string, () => unknown, string, string]>([
    ['throws', () => { throw new Error('no'); }, 'MR-CODE-LOOKUP', 'backoff'],
    ['rejects', () => Promise.reject(new Error('no')), 'MR-CODE-LOOKUP', 'backoff'],
    ['gives a field that is not declared', () => ({ nam: 'a' }), 'MR-CODE-LOOKUP-ROW', 'never'],
    ['gives another type', () => ({ name: 5 }), 'MR-CODE-LOOKUP-ROW', 'never'],
    ['gives no row', () => 'text', 'MR-CODE-LOOKUP-ROW', 'never'],
  ])('fails where it %s', async (_what, code, expected, retry) => {
    await expect(ask(code)).rejects.toMatchObject({ code: expected, retry, scope: 'record' });
  });

  it('refuses a key that no number holds, and what is no function', async () => {
    expect(await codeOf(ask(() => null, [2n ** 60n, 0]))).toBe('MR-CODE-LOOKUP-ROW');
    expect(await codeOf(ask({}))).toBe('MR-CODE-SHAPE');
  });
});
