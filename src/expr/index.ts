/** SQL expressions: text → typed expression (core/expression.ts) → value. See README.md. */
export { exprErrors } from './errors.ts';
export { loadParser } from './parse/sql-parser.ts';
export { parseAggregate, parseCondition, parseExpression } from './parse-expression.ts';
export type { ParseOptions, ParsedAggregate, ParsedExpression } from './parse-expression.ts';
export { parseType, parseTypePrefix } from './types/type-grammar.ts';
export type { ParsedType, TypePrefix } from './types/type-grammar.ts';
export type { Problem } from './check/problem.ts';
export type { Side } from './check/sides.ts';
export { compileInterpreter, interpret } from './interpret.ts';
export type { RowEvaluator } from './interpret.ts';
export { columnsOf, foldConstants, mapColumns } from './ir/transform.ts';
export { formatExpression } from './ir/format-expression.ts';
export { childrenOf, mapChildren } from './ir/children.ts';
export { literalOf, literalValue } from './ir/literal.ts';
export { findFunction, functionRows, overloadById, overloads } from './registry/registry.ts';
export type {
  CallTypes,
  Evaluator,
  FunctionCategory,
  FunctionExample,
  FunctionRow,
  Overload,
} from './registry/overload.ts';
export { formatPattern } from './registry/type-pattern.ts';
export type { TypePattern } from './registry/type-pattern.ts';
export { compareBytes, compareStrings, comparator, isOrdered, sameValue } from './registry/compare-values.ts';
export { bindCast, canCast, castCanFail, castValue } from './cast/cast.ts';
export type { CastFunction } from './cast/cast.ts';
export {
  MS_PER_DAY,
  civilFromDays,
  daysFromCivil,
  daysInMonth,
  formatDate,
  formatTime,
  formatTimestamp,
  formatTimestampSql,
  parseDate,
  parseTime,
  parseTimestamp,
} from './cast/date-time-text.ts';
export {
  formatDouble,
  formatFloat,
  parseDecimal,
  parseDouble,
  parseInt32,
  parseLong,
} from './cast/number-text.ts';
export { formatJson, parseJson } from './cast/json-node.ts';
export type { JsonNode } from './cast/json-node.ts';
export { JsonShapeError, fromJson, toJsonText } from './cast/json-value.ts';
export { checkInt, checkLong } from './types/integer-value.ts';
export {
  checkPrecision,
  compareDecimals,
  divideRounded,
  fitsPrecision,
  powerOfTen,
  rescale,
} from './types/decimal-value.ts';
export { additionType, divisionType, moduloType, multiplicationType, unionType } from './types/decimal-types.ts';
export type { DecimalType } from './types/decimal-types.ts';
export { arrayAccess } from './codegen/column-access.ts';
export type { ColumnAccess, ColumnArrays, Mode } from './codegen/column-access.ts';
export { compileRowTest } from './codegen/compile-row-test.ts';
export type { RowTest } from './codegen/compile-row-test.ts';
export { emitPredicate } from './codegen/emit-predicate.ts';
export type { EmittedPredicate, PredicateSpec } from './codegen/emit-predicate.ts';
export { CompiledTransform, compileTransform } from './codegen/compile-transform.ts';
export { transformOutput } from './codegen/transform-plan.ts';
export type { TransformVersion } from './codegen/transform-source.ts';
export { gatherColumn, gatherFloat64 } from './codegen/runtime/gather.ts';
export { decodeText } from './codegen/runtime/text.ts';
