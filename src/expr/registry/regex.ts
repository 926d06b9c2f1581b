/**
 * Regular expressions: ECMAScript's, with the flag u, so that `.` is one code point. A pattern is usually the same for
 * every record, so each call site remembers the last one it compiled.
 */
import { exprErrors } from '../errors.ts';

export type RegexCompiler = (pattern: string) => RegExp;

export function regexCompiler(functionName: string, flags: string): RegexCompiler {
  let lastPattern: string | null = null;
  let lastRegex: RegExp | null = null;
  return (pattern) => {
    if (lastRegex !== null && pattern === lastPattern) {
      lastRegex.lastIndex = 0;
      return lastRegex;
    }
    const regex = compile(functionName, pattern, flags);
    lastPattern = pattern;
    lastRegex = regex;
    return regex;
  };
}

function compile(functionName: string, pattern: string, flags: string): RegExp {
  try {
    const regex = new RegExp(pattern, flags);
    // V8 compiles when first used, apart for text with and without characters above U+00FF, and only then says that a
    // pattern is too large.
    regex.test('a');
    regex.test('\u0100');
    regex.lastIndex = 0;
    return regex;
  } catch (error) {
    const problem = error instanceof Error ? (error.message.split(': ').at(-1) ?? '') : String(error);
    throw exprErrors.create('MR-EXPR-REGEX', { function: functionName, pattern: pattern.slice(0, 200), problem });
  }
}
