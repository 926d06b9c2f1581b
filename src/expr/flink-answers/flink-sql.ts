/** The SQL that Flink is asked for a case: our names of types become Flink's, fields stand in a view of one row. */
import { cases, fields } from './cases.ts';
import type { AnswerCase } from './cases.ts';

const columns = fields.map(({ name, flink }) => `${flink} AS ${name}`);

const viewSql = `CREATE TEMPORARY VIEW t AS SELECT ${columns.join(', ')}`;

const TYPE_NAMES: Readonly<Record<string, string>> = { long: 'BIGINT', timestamp: 'TIMESTAMP(3)' };

/** Our spelling of a case. */
export function expressionOf(one: AnswerCase): string {
  return typeof one === 'string' ? one : one[0];
}

/** Null where Flink has nothing alike. */
function flinkExpressionOf(one: AnswerCase): string | null {
  if (typeof one !== 'string') return one[1];
  return one.replace(
    /\bAS ((?:array<)?)(long|timestamp)\b/g,
    (_, array: string, name: string) => `AS ${array}${TYPE_NAMES[name] ?? name}`,
  );
}

function querySql(flinkExpression: string): string {
  return `SELECT ${flinkExpression} FROM t`;
}

export interface FlinkQuestions {
  /** Carried out first. */
  readonly view: string;
  readonly queries: readonly { readonly id: string; readonly sql: string }[];
}

/** Everything that Flink is asked; the id of a query is our spelling of its expression. */
export function flinkQuestions(): FlinkQuestions {
  const queries = cases.flatMap((one) => {
    const flink = flinkExpressionOf(one);
    return flink === null ? [] : [{ id: expressionOf(one), sql: querySql(flink) }];
  });
  return { view: viewSql, queries };
}
