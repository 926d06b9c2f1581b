import { apiErrors } from '../api/index.ts';
import type { JobDefinition } from '../api/index.ts';
import { formatType, sameType } from '../core/index.ts';
import type { DataType } from '../core/index.ts';
import type { JobProblem, LogicalGraph, RenderedJobFile } from '../graph/index.ts';

/** What typed() of the TypeScript API says of fields that are of another type: places are of the rendered file. */
export function checkStatedTypes(
  { stated, document }: JobDefinition,
  rendered: RenderedJobFile,
  graph: LogicalGraph,
  fileName: string,
): readonly JobProblem[] {
  const lines = rendered.text.split('\n');
  return stated.flatMap(({ stepId, field, type }) => {
    const actual = typeOf(stepId, field, graph);
    if (actual === null || sameType(actual, type.type)) return [];
    const fields = { field, actual: formatType(actual), stated: type.text };
    const first = rendered.stepLines[document.steps.findIndex(({ id }) => id === stepId)] ?? 1;
    const isField = new RegExp(`^ +(?:- )?"?${field.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"?: "`);
    const at = lines.findIndex((text, index) => index >= first - 1 && isField.test(text));
    const start = (isField.exec(lines[at] ?? '')?.[0].length ?? 0) + 1;
    const problem = apiErrors.create('MR-API-STATED-TYPE', fields);
    return Object.freeze({
      fileName,
      line: Math.max(first, at + 1),
      column: start,
      endColumn: Math.max(start, lines[at]?.length ?? 0),
      code: problem.code,
      message: problem.message,
      expected: `typed(…, ${formatType(actual)})`,
      suggestion: null,
    });
  });
}

/** The type of the expression that gives a field. */
function typeOf(stepId: string, field: string, graph: LogicalGraph): DataType | null {
  const node = graph.nodes.find(({ id }) => id === stepId);
  if (node?.kind === 'flat-map') return node.fields.find(({ name }) => name === field)?.expression.type ?? null;
  return node?.output?.schema.fields.find(({ name }) => name === field)?.type ?? null;
}
