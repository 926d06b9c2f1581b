/** The only caller of expr's parser: what it finds, counted from the start of a text, goes to its place in the file. */
import { parseAggregate, parseCondition, parseExpression, parseType } from '../../expr/index.ts';
import type { Problem } from '../../expr/index.ts';
import type { AggregateCall, DataType, Expression } from '../../core/index.ts';
import type { JobProblemCode } from '../errors.ts';
import type { PlacedText } from '../spec/placed-text.ts';
import type { ProblemList } from '../spec/problem.ts';
import { mentions } from './step-stream.ts';
import type { StepStream } from './step-stream.ts';

/** Null where it is wrong, and where it reads fields that are. */
export function checkExpression(text: PlacedText, input: StepStream, problems: ProblemList): Expression | null {
  if (text.isIncomplete) return null;
  const parsed = parseExpression(text.text, input.stream.schema, { sides: input.sides ?? [] });
  if ('expression' in parsed) return parsed.expression;
  report(parsed.problems, text, input, problems);
  return null;
}

/** As checkExpression, for what must be TRUE, FALSE or NULL. */
export function checkCondition(text: PlacedText, input: StepStream, problems: ProblemList): Expression | null {
  if (text.isIncomplete) return null;
  const parsed = parseCondition(text.text, input.stream.schema, input.sides);
  if ('expression' in parsed) return parsed.expression;
  report(parsed.problems, text, input, problems);
  return null;
}

export function checkAggregate(
  name: string,
  text: PlacedText,
  input: StepStream,
  problems: ProblemList,
): AggregateCall | null {
  if (text.isIncomplete) return null;
  const parsed = parseAggregate(name, text.text, input.stream.schema);
  if ('aggregate' in parsed) return parsed.aggregate;
  report(parsed.problems, text, input, problems);
  return null;
}

export function checkType(text: PlacedText, problems: ProblemList): DataType | null {
  if (text.isIncomplete) return null;
  const parsed = parseType(text.text);
  if ('type' in parsed) return parsed.type;
  for (const problem of parsed.problems) reportOne('MR-JOB-TYPE', problem, text, problems);
  return null;
}

function report(found: readonly Problem[], text: PlacedText, input: StepStream, problems: ProblemList): void {
  if (mentions(text.text, input.doubtful)) return;
  for (const problem of found) reportOne('MR-JOB-EXPRESSION', problem, text, problems);
}

function reportOne(code: JobProblemCode, problem: Problem, text: PlacedText, problems: ProblemList): void {
  const { offset, length, message, suggestion } = problem;
  problems.addAbout(text, code, text.rangeOf(offset, offset + length), message, { suggestion });
}
