/**
 * Moves filters into the decoder of their source, where a row that does not pass costs nearly nothing.
 *
 * The rule: which records end in an error must not change. A filter may therefore move past a step only if
 * - it reads fields of the record's value that the step passes on unchanged, under whatever name,
 * - nothing in the step can fail: it would no longer fail for the rows that the filter drops, and
 * - where the step drops or multiplies rows, the filter itself cannot fail: it now sees rows that it did not before.
 * Parts of an AND move on their own only where no part of it can fail.
 *
 * Nothing moves into a source with event time: rows that a filter drops still say how far time has come.
 */
import { columnsOf, mapColumns } from '../../expr/index.ts';
import type { Expression, SourceSpec } from '../../core/index.ts';
import type {
  LogicalFilter,
  LogicalGraph,
  LogicalNode,
  LogicalSource,
  NamedExpression,
} from '../logical/logical-graph.ts';
import { canFail } from './can-fail.ts';
import { GraphEdit } from './graph-edit.ts';

export function pushFilters(graph: LogicalGraph): LogicalGraph {
  const edit = new GraphEdit(graph);
  for (const node of graph.nodes) {
    if (node.kind === 'source' && node.watermark === null) pushIntoSource(node, edit);
  }
  return edit.finish();
}

/** Per field of the current step: the field of the record's value that it is; null where it is computed or metadata. */
type Origins = readonly (number | null)[];

function pushIntoSource(source: LogicalSource, edit: GraphEdit): void {
  const pushed: SourceSpec['filters'][number][] = [...source.spec.filters];
  const valueFields = source.spec.schema.fields.length;
  let origins: Origins = source.output.schema.fields.map((_, index) => (index < valueFields ? index : null));
  let rowsChanged = false;
  let next = edit.onlyConsumer(source.id);
  while (next !== null) {
    const step: LogicalNode = next;
    next = edit.onlyConsumer(step.id);
    if (step.kind === 'filter') {
      const { moved, rest } = divide(step, origins, rowsChanged);
      if (moved !== null) pushed.push({ stepId: step.id, predicate: relocate(moved, origins, source) });
      if (rest === null) {
        edit.remove(step.id);
        continue;
      }
      edit.replace({ ...step, predicate: rest });
      if (canFail(rest)) break;
      rowsChanged = true;
    } else if (step.kind === 'select' && !canAnyFail(step.fields)) {
      origins = step.fields.map(({ expression }) => originOf(expression, origins));
    } else if (step.kind === 'flat-map' && !canAnyFail(step.fields)) {
      origins = [...step.kept.map((index) => origins[index] ?? null), ...step.fields.map(() => null)];
      rowsChanged = true;
    } else {
      break;
    }
  }
  if (pushed.length === source.spec.filters.length) return;
  edit.replace({ ...source, spec: { ...source.spec, filters: pushed } });
}

function canAnyFail(fields: readonly NamedExpression[]): boolean {
  return fields.some(({ expression }) => canFail(expression));
}

function originOf(expression: Expression, origins: Origins): number | null {
  return expression.kind === 'column' ? (origins[expression.index] ?? null) : null;
}

interface Division {
  readonly moved: Expression | null;
  readonly rest: Expression | null;
}

function divide(step: LogicalFilter, origins: Origins, rowsChanged: boolean): Division {
  const { predicate } = step;
  const fails = canFail(predicate);
  if (rowsChanged && fails) return { moved: null, rest: predicate };
  if (readsOrigins(predicate, origins)) return { moved: predicate, rest: null };
  if (fails || predicate.kind !== 'logic' || predicate.operator !== 'and') return { moved: null, rest: predicate };
  const movable = predicate.args.filter((arg) => readsOrigins(arg, origins));
  const others = predicate.args.filter((arg) => !readsOrigins(arg, origins));
  return { moved: conjunction(movable), rest: conjunction(others) };
}

function readsOrigins(expression: Expression, origins: Origins): boolean {
  return columnsOf(expression).every((index) => (origins[index] ?? null) !== null);
}

function conjunction(args: readonly Expression[]): Expression | null {
  const first = args[0];
  if (first === undefined || args.length === 1) return first ?? null;
  return { kind: 'logic', operator: 'and', args, type: { kind: 'boolean' } };
}

function relocate(predicate: Expression, origins: Origins, source: LogicalSource): Expression {
  return mapColumns(predicate, (column) => {
    const index = origins[column.index] ?? column.index;
    return { ...column, index, name: source.spec.schema.fields[index]?.name ?? column.name };
  });
}
