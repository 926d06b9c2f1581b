/** JSON whose numbers keep the digits that they are written with (ECMAScript's raw JSON and source text access). */

/** ECMAScript 2026: TypeScript's library does not know it yet. */
const RAW = JSON as unknown as { rawJSON(text: string): unknown };

/** Numbers become raw JSON: JSON.stringify() writes them as they came. Throws a SyntaxError for what is no JSON. */
export function parseExactly(bytes: Uint8Array): unknown {
  return JSON.parse(decode(bytes), keepDigits);
}

export function exactNumber(value: bigint): unknown {
  return RAW.rawJSON(String(value));
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? RAW.rawJSON(context.source) : value;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new SyntaxError('it is no UTF-8');
  }
}
