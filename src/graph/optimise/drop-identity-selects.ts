import type { LogicalGraph, LogicalSelect, LogicalSource, RowStream } from '../logical/logical-graph.ts';
import { GraphEdit } from './graph-edit.ts';

/** Takes out selects that change nothing; one that only reorders the fields of its source becomes its projection. */
export function dropIdentitySelects(graph: LogicalGraph): LogicalGraph {
  const edit = new GraphEdit(graph);
  for (const node of graph.nodes) {
    const [from] = edit.inputsOf(node.id);
    if (node.kind !== 'select' || from === undefined) continue;
    const input = edit.node(from);
    const order = columnOrder(node, input.output);
    if (order === null || input.parallelism !== node.parallelism) continue;
    const isIdentity = order.length === input.output?.schema.fields.length && order.every((c, i) => c === i);
    if (isIdentity) edit.remove(node.id);
    else if (input.kind === 'source' && edit.consumersOf(from).length === 1 && keepsEventTime(input, order)) {
      edit.replace(projected(input, order, node.output));
      edit.remove(node.id);
    }
  }
  return edit.finish();
}

/** The input's columns in the select's order, where it renames and computes nothing; else null. */
function columnOrder(node: LogicalSelect, input: RowStream | null): readonly number[] | null {
  const order: number[] = [];
  for (const { name, expression } of node.fields) {
    const isPlain = expression.kind === 'column' && input?.schema.fields[expression.index]?.name === name;
    if (!isPlain || order.includes(expression.index)) return null;
    order.push(expression.index);
  }
  return order;
}

/** The source reads the time of its rows from what it emits. */
function keepsEventTime({ watermark }: LogicalSource, order: readonly number[]): boolean {
  return watermark === null || order.includes(watermark.column);
}

function projected(source: LogicalSource, order: readonly number[], output: RowStream): LogicalSource {
  const projection = order.map((index) => source.spec.projection[index] as number);
  const watermark = source.watermark && { ...source.watermark, column: order.indexOf(source.watermark.column) };
  return { ...source, spec: { ...source.spec, projection }, watermark, output };
}
