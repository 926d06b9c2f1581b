/** For generated code that found a failure where the interpreter, asked for the error, has a value. */
export function missedFailure(): Error {
  return new Error('generated code failed where the interpreter has a value');
}
