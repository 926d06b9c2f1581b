import { defineErrors } from '../core/index.ts';

/**
 * Errors of expressions. Those of scope `record` are thrown while a row is evaluated, by the interpreter and by
 * generated code alike; `errors:` of the source decides what becomes of the record. Mistakes in an expression's text
 * are no errors of this table but `Problem`s (check/problem.ts), because all of them are reported at once.
 */
export const exprErrors = defineErrors({
  'MR-EXPR-OVERFLOW': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the result of {operation} does not fit into {type}',
    help:
      'An int holds 32 bits, a long 64, a decimal(p,s) p digits. Cast an operand to a wider type before the ' +
      'operation, for example CAST(a AS long) * b, or use TRY_CAST where the overflow happens in a cast.',
  },
  'MR-EXPR-DIVISION-BY-ZERO': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: '{operation} of a {type} by zero',
    help:
      'Integers and decimals cannot be divided by zero (doubles give Infinity or NaN). Guard the divisor: ' +
      'a / NULLIF(b, 0) is NULL where b is zero.',
  },
  'MR-EXPR-CAST': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'cannot cast {value} from {from} to {to}',
    help:
      'The value has no counterpart in the wanted type: text that is no number, a number outside the range, JSON of ' +
      'another shape. TRY_CAST gives NULL instead.',
  },
  'MR-EXPR-TIMESTAMP-RANGE': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the result of {operation} is outside the range of {type}',
    help:
      'Timestamps reach from -271821-04-20 to 275760-09-13 (the range of ECMAScript dates); a date has 32 bits of ' +
      'days, a time one day.',
  },
  'MR-EXPR-ARGUMENT': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: '{function}: {problem}',
    help: 'An argument has a value that the function does not take. `millrace list functions` describes what it takes.',
  },
  'MR-EXPR-REGEX': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: '{function}: `{pattern}` is not a regular expression: {problem}',
    help: 'Regular expressions have the syntax of ECMAScript with the flag u.',
  },
  'MR-EXPR-TOO-LARGE': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the result of {function} would have {length} characters; the most is {limit}',
    help: 'A function such as REPEAT or LPAD was asked for a text that would fill the memory.',
  },
  'MR-EXPR-PARSER-NOT-LOADED': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'an expression was parsed before the SQL parser was loaded; await loadParser() first',
    help: 'This is a bug. Please report it.',
  },
  'MR-EXPR-PARSER-LOAD': {
    domain: 'internal',
    scope: 'process',
    retry: 'never',
    message: 'the SQL parser could not be loaded: {reason}',
    help: 'The WebAssembly module of the package libpg-query is missing or damaged. Install the package again.',
  },
  'MR-EXPR-MALFORMED': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'a typed expression is malformed: {problem}',
    help:
      'Expressions in a job graph are made by the checker. One that names an unknown function or has a literal of ' +
      'the wrong form was made by another version, or changed on the way.',
  },
});
