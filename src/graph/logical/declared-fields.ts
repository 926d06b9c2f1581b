import { types } from '../../core/index.ts';
import type { Field } from '../../core/index.ts';
import type { NamedText } from '../spec/job-spec.ts';
import type { ProblemList } from '../spec/problem.ts';
import { checkType } from './check-expression.ts';

export interface DeclaredFields {
  readonly fields: readonly Field[];
  /** Names of fields whose type is wrong: they have another one here. */
  readonly doubtful: readonly string[];
}

/** The fields of a `schema` block; null where there is none. */
export function declaredFields(schema: readonly NamedText[] | null, problems: ProblemList): DeclaredFields | null {
  if (schema === null) return null;
  const doubtful: string[] = [];
  const fields = schema.map(({ name, text }) => {
    const type = checkType(text, problems);
    if (type === null) doubtful.push(name);
    return { name, type: type ?? types.string };
  });
  return { fields, doubtful };
}
