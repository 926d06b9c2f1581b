/** Where in a module of a user something was called. */
export interface CallSite {
  /** A path or a `file:` URL, as the engine of JavaScript tells it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const PLACE = /(?:\(|at (?:async )?)([^()\s][^()]*):(\d+):(\d+)\)?$/;
/** The function that asks, and its caller. */
const DEPTH = 2;

/** Who called the function that asks; null where that is not told. */
export function callSite(): CallSite | null {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = DEPTH;
  Error.captureStackTrace(holder, callSite);
  Error.stackTraceLimit = limit;
  const match = PLACE.exec(holder.stack?.split('\n')[DEPTH] ?? '');
  if (match === null) return null;
  const [, file = '', line, column] = match;
  return { file, line: Number(line), column: Number(column) };
}
