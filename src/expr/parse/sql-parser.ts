/**
 * PostgreSQL's own parser, compiled to WebAssembly (libpg-query): the only home of that package. It is loaded at first
 * use, because it takes 16 MiB and some 30 ms.
 */
import { exprErrors } from '../errors.ts';

type PgModule = typeof import('libpg-query');

let loaded: PgModule | null = null;
let loading: Promise<void> | null = null;

/** Resolves once expressions can be parsed; harmless when called again. */
export function loadParser(): Promise<void> {
  loading ??= load();
  return loading;
}

async function load(): Promise<void> {
  try {
    const module = await import('libpg-query');
    await module.loadModule();
    loaded = module;
  } catch (error) {
    loading = null;
    const reason = error instanceof Error ? error.message : String(error);
    throw exprErrors.create('MR-EXPR-PARSER-LOAD', { reason }, error);
  }
}

/** The tree as plain data, or where it went wrong: an index into the (ASCII) text. */
export type SqlParse =
  | { readonly tree: unknown }
  | { readonly failure: 'syntax'; readonly offset: number }
  | { readonly failure: 'too-deep' };

export function parseSql(sql: string): SqlParse {
  if (loaded === null) throw exprErrors.create('MR-EXPR-PARSER-NOT-LOADED', {});
  try {
    return { tree: loaded.parseSync(sql) };
  } catch (error) {
    // The parser's stack ends in a RangeError of WebAssembly, bison's in this message; both leave it usable.
    if (error instanceof RangeError) return { failure: 'too-deep' };
    if (!(error instanceof Error)) throw error;
    if (error.message.startsWith('memory exhausted')) return { failure: 'too-deep' };
    const details = loaded.hasSqlDetails(error) ? error.sqlDetails : undefined;
    if (details === undefined) throw error;
    return { failure: 'syntax', offset: details.cursorPosition };
  }
}
