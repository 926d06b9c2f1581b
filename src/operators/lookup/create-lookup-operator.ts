import type { CodeLoader, LookupConnector, Operator } from '../../core/index.ts';
import { operatorErrors } from '../errors.ts';
import { CodeLookup } from './code-lookup.ts';
import { LookupOperator } from './lookup-operator.ts';
import type { LookupStep } from './lookup-spec.ts';

export function createLookupOperator(
  step: LookupStep,
  lookups: ReadonlyMap<string, LookupConnector>,
  loadCode: CodeLoader,
): Operator {
  if (step.code !== null) return new LookupOperator(step, new CodeLookup(step.spec, step.code, loadCode));
  const { stepId, connector } = step.spec;
  const found = lookups.get(connector);
  if (found !== undefined) return new LookupOperator(step, found.createReader(step.spec));
  throw operatorErrors.create('MR-OPERATOR-NO-LOOKUP', { step: stepId, connector });
}
