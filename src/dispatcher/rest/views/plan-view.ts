import type { JobExplanation, JobGraph } from '../../../graph/index.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';

export const planSchema: JsonSchema = json.object({
  jid: hexId,
  name: json.text,
  type: json.text,
  nodes: json.list(
    json.object(
      {
        id: json.text,
        parallelism: json.integer,
        operator: json.text,
        operator_strategy: json.text,
        description: json.text,
        optimizer_properties: json.map(json.text),
      },
      {
        inputs: json.list(
          json.object({ num: json.integer, id: json.text, ship_strategy: json.text, exchange: json.text }),
        ),
      },
    ),
  ),
});

/** GET /jobs/:jobid/plan */
export const planAnswerSchema: JsonSchema = json.object({ plan: planSchema });

/** The plan as Flink's dashboard draws it. It shows descriptions as HTML. */
export function planView(jobId: string, graph: JobGraph, { vertices }: JobExplanation): unknown {
  const explained = new Map(vertices.map((vertex) => [vertex.id, vertex]));
  const edges = new Map(graph.edges.map((edge) => [edge.id, edge]));
  const nodes = graph.vertices.map(({ id, name, parallelism, inputs }) => {
    const steps = explained.get(id)?.steps ?? [];
    const lines = steps.map(({ kind, step, details }) => [`${kind} ${step}`, ...details].join(': '));
    const wires = inputs.flatMap((input, num) => {
      const edge = edges.get(input);
      if (edge === undefined) return [];
      return [{ num, id: edge.from, ship_strategy: edge.exchange.kind.toUpperCase(), exchange: 'pipelined_bounded' }];
    });
    return {
      id,
      parallelism,
      operator: '',
      operator_strategy: '',
      description: lines.length === 0 ? escapeHtml(name) : lines.map((line) => `${escapeHtml(line)}<br/>`).join(''),
      ...(wires.length === 0 ? {} : { inputs: wires }),
      optimizer_properties: {},
    };
  });
  return { jid: jobId, name: graph.name, type: 'STREAMING', nodes };
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
