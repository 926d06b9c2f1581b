import { columnsOf, mapColumns } from '../../expr/index.ts';
import type { AggregateCall, ColumnExpression, Expression } from '../../core/index.ts';

/** The indexes of all columns that any of the expressions reads. */
export function columnsOfAll(expressions: readonly Expression[]): ReadonlySet<number> {
  return new Set(expressions.flatMap((expression) => columnsOf(expression)));
}

export function columnsOfCall(call: AggregateCall): ReadonlySet<number> {
  return columnsOfAll([call.argument, call.filter].filter((expression) => expression !== null));
}

export function mapCallColumns(call: AggregateCall, change: (column: ColumnExpression) => Expression): AggregateCall {
  const map = (expression: Expression | null) => (expression === null ? null : mapColumns(expression, change));
  return { ...call, argument: map(call.argument), filter: map(call.filter) };
}

/** A change for mapColumns that moves columns to other positions; `position` gives the new index of an old one. */
export function moveColumns(position: (index: number) => number): (column: ColumnExpression) => ColumnExpression {
  return (column) => {
    const index = position(column.index);
    return index === column.index ? column : { ...column, index };
  };
}
