import type { JobGraph } from '../graph/index.ts';
import type { StepLabel } from './progress/job-progress.ts';

/** The steps of a job in the order of its graph, with what each does. */
export function stepLabels(graph: JobGraph): readonly StepLabel[] {
  const labels = graph.vertices.flatMap(({ chain }) =>
    chain.flatMap((node): StepLabel[] => {
      switch (node.kind) {
        case 'source':
          return [
            { stepId: node.spec.stepId, what: `source ${node.spec.connector}` },
            ...node.spec.filters.map(({ stepId }) => ({ stepId, what: 'filter' })),
          ];
        case 'sink':
          return [{ stepId: node.spec.stepId, what: `sink ${node.spec.connector}` }];
        case 'transform':
          return node.steps.map(({ stepId, kind }) => ({ stepId, what: kind === 'flat-map' ? 'flatMap' : kind }));
        case 'aggregate':
        case 'normalise':
        case 'join':
        case 'dedupe':
        case 'process':
        case 'lookup':
        case 'union':
          return [{ stepId: node.stepId, what: node.kind }];
        case 'window':
          return [{ stepId: node.stepId, what: 'aggregate' }];
        case 'top-n':
          return [{ stepId: node.stepId, what: 'topN' }];
      }
    }),
  );
  // A step may stand in several chains (a split, or a filter that was pushed into two sources).
  return labels.filter(({ stepId }, i) => labels.findIndex((label) => label.stepId === stepId) === i);
}
