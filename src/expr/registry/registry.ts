/** Every function and operator, by name and by overload id. */
import { exprErrors } from '../errors.ts';
import { arithmeticFunctions } from './arithmetic.ts';
import { collectionFunctions, conditionalFunctions } from './collections.ts';
import { comparisonFunctions } from './comparison.ts';
import { encodingFunctions } from './encoding.ts';
import { jsonFunctions } from './json.ts';
import { mathFunctions } from './math.ts';
import { regexFunctions } from './regex-functions.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './time.ts';
import type { FunctionRow, Overload } from './overload.ts';

export const functionRows: readonly FunctionRow[] = Object.freeze([
  ...arithmeticFunctions,
  ...comparisonFunctions,
  ...conditionalFunctions,
  ...stringFunctions,
  ...regexFunctions,
  ...encodingFunctions,
  ...mathFunctions,
  ...timeFunctions,
  ...jsonFunctions,
  ...collectionFunctions,
]);

const byName = new Map<string, FunctionRow>();
const byId = new Map<string, Overload>();

for (const row of functionRows) {
  for (const name of [row.name, ...row.aliases]) {
    if (byName.has(name)) throw new TypeError(`function ${name} is declared twice`);
    byName.set(name, row);
  }
  for (const overload of row.overloads) {
    if (byId.has(overload.id)) throw new TypeError(`overload ${overload.id} is declared twice`);
    byId.set(overload.id, overload);
  }
}

/** By name in upper case, or by an operator's sign; undefined where there is none. */
export function findFunction(name: string): FunctionRow | undefined {
  return byName.get(name);
}

/** Every overload by id, in the order of the registry. */
export const overloads: ReadonlyMap<string, Overload> = byId;

/** The overload of a call expression; an unknown id is a malformed expression. */
export function overloadById(id: string): Overload {
  const overload = byId.get(id);
  if (overload === undefined) throw exprErrors.create('MR-EXPR-MALFORMED', { problem: `there is no function ${id}` });
  return overload;
}
