export { AggregateOperator } from './aggregate/aggregate-operator.ts';
export type { AggregateSpec } from './aggregate/aggregate-operator.ts';
export { createOperator } from './create-operator.ts';
export type { OperatorNode } from './create-operator.ts';
export { operatorErrors } from './errors.ts';
export { codeErrors } from './process/code-errors.ts';
export { pickCode } from './process/pick-code.ts';
export { TransformOperator } from './transform-operator.ts';
export { UnionOperator } from './union-operator.ts';
