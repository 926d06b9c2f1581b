/**
 * Names in expressions over the rows of two steps: `orders.id` is the field `id` of the side `orders`; a name alone is
 * the field of whichever side has it.
 */
import { nearestName } from '../../core/index.ts';
import type { Field } from '../../core/index.ts';
import type { NamePart } from '../parse/ast.ts';

/** The fields [start, end) of the schema come from one step. */
export interface Side {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export type SideField =
  /** `used` parts of the name have led to the field. */
  | { readonly index: number; readonly used: number }
  | { readonly problem: string; readonly at: NamePart; readonly suggestion: string | null };

export function findSideField(
  parts: readonly NamePart[],
  fields: readonly Field[],
  sides: readonly Side[],
): SideField | null {
  const [first, second] = parts;
  if (first === undefined) return null;
  const side = sides.find(({ name }) => first.text === name) ?? sides.find(({ name }) => first.text === spelling(name));
  if (side !== undefined && second !== undefined) {
    const index = fields.findIndex(({ name }, at) => at >= side.start && at < side.end && name === second.text);
    return index < 0 ? unknownOf(side, second, fields) : { index, used: 2 };
  }
  const holders = sides.filter(({ start, end }) => fields.slice(start, end).some(({ name }) => name === first.text));
  const [only] = holders;
  if (only === undefined) {
    if (side === undefined) return null;
    return { problem: `\`${first.text}\` is a step: write \`${first.text}.FIELD\``, at: first, suggestion: null };
  }
  if (holders.length > 1) {
    const choices = holders.map(({ name }) => `\`${spelling(name)}.${first.text}\``).join(' or ');
    return { problem: `\`${first.text}\` is on both sides: write ${choices}`, at: first, suggestion: null };
  }
  return { index: fields.findIndex(({ name }, at) => at >= only.start && name === first.text), used: 1 };
}

/** Step ids may have hyphens, which are minus signs in SQL: `late_orders.id` is a field of `late-orders`. */
function spelling(name: string): string {
  return name.replaceAll('-', '_');
}

function unknownOf({ name, start, end }: Side, part: NamePart, fields: readonly Field[]): SideField {
  const known = fields.slice(start, end).map((field) => field.name);
  const nearest = nearestName(part.text, known);
  const hint = nearest === null ? `known are ${known.slice(0, 20).join(', ')}` : `did you mean \`${nearest}\`?`;
  return { problem: `\`${name}\` has no field \`${part.text}\`; ${hint}`, at: part, suggestion: nearest };
}

/** What a name may begin with. */
export function namesOfSides(sides: readonly Side[]): readonly string[] {
  return sides.map(({ name }) => spelling(name));
}
