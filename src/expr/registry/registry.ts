/**
 * Every function and operator, by name and by overload id. What is built into the grammar stands here too, without
 * overloads, so that docs and help are complete.
 */
import { exprErrors } from '../errors.ts';
import { arithmeticFunctions } from './arithmetic.ts';
import { collectionFunctions, conditionalFunctions } from './collections.ts';
import { comparisonFunctions } from './comparison.ts';
import { encodingFunctions } from './encoding.ts';
import { jsonFunctions } from './json.ts';
import { mathFunctions } from './math.ts';
import { regexFunctions } from './regex-functions.ts';
import { aggregateForms, specialForms } from './special-forms.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './time.ts';
import type { FunctionRow, Overload } from './overload.ts';

export const functionRows: readonly FunctionRow[] = Object.freeze([
  ...arithmeticFunctions,
  ...comparisonFunctions,
  ...specialForms,
  ...conditionalFunctions,
  ...stringFunctions,
  ...regexFunctions,
  ...encodingFunctions,
  ...mathFunctions,
  ...timeFunctions,
  ...jsonFunctions,
  ...collectionFunctions,
  ...aggregateForms,
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

/** By name in upper case, or by an operator's sign; undefined where there is none that can be called. */
export function findFunction(name: string): FunctionRow | undefined {
  const row = byName.get(name);
  return row === undefined || row.overloads.length === 0 ? undefined : row;
}

/** Every overload by id, in the order of the registry. */
export const overloads: ReadonlyMap<string, Overload> = byId;

/** The overload of a call expression; an unknown id is a malformed expression. */
export function overloadById(id: string): Overload {
  const overload = byId.get(id);
  if (overload === undefined) throw exprErrors.create('MR-EXPR-MALFORMED', { problem: `there is no function ${id}` });
  return overload;
}
