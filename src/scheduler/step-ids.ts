import { stepId as toStepId } from '../core/index.ts';
import type { StepId } from '../core/index.ts';
import type { ChainNode } from '../graph/index.ts';

/** The steps that a node of a chain stands for. */
export function stepIdsOf(node: ChainNode): readonly StepId[] {
  if (node.kind === 'source' || node.kind === 'sink') return [toStepId(node.spec.stepId)];
  if (node.kind === 'transform') return node.steps.map(({ stepId }) => toStepId(stepId));
  return [toStepId(node.stepId)];
}
