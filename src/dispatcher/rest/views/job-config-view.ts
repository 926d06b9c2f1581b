import type { JobExplanation, JobGraph } from '../../../graph/index.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';

/** GET /jobs/:jobid/config */
export const jobConfigSchema: JsonSchema = json.object({
  jid: hexId,
  name: json.text,
  'execution-config': json.object({
    'execution-mode': json.text,
    'restart-strategy': json.text,
    'job-parallelism': json.integer,
    'object-reuse-mode': json.flag,
    'user-config': json.map(json.text),
  }),
});

/** `user-config` has what each step does, without the secrets of its options. */
export function jobConfigView(jobId: string, graph: JobGraph, explained: JobExplanation): unknown {
  const { vertices, restart, checkpoint } = explained;
  const steps = vertices.flatMap(({ steps: all }) =>
    all.map(({ kind, step, details }) => [`step.${step}`, [kind, ...details].join('; ')] as const),
  );
  return {
    jid: jobId,
    name: graph.name,
    'execution-config': {
      'execution-mode': 'PIPELINED',
      'restart-strategy': JSON.stringify(restart),
      'job-parallelism': Math.max(1, ...graph.vertices.map(({ parallelism }) => parallelism)),
      'object-reuse-mode': true,
      'user-config': { checkpoint: JSON.stringify(checkpoint), ...Object.fromEntries(steps) },
    },
  };
}
