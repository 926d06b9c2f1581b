import { defineErrors } from '../../core/index.ts';

/** What can be wrong with code of users. */
export const codeErrors = defineErrors({
  'MR-CODE-IMPORT': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{module} cannot be imported: {reason}',
    help:
      'A step names this module, and Node could not run it: the file is not there, a module that it imports is not, ' +
      'or its own top level throws. Node runs TypeScript by leaving types out, so enums, parameter properties and ' +
      'namespaces with code are syntax errors. `node FILE` shows the same error.',
  },
  'MR-CODE-EXPORT': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{module} has no export `{name}`{hint}',
    help: '`process: ./file.ts#NAME` needs `export class NAME`, `export function NAME` or `export const NAME` there.',
  },
  'MR-CODE-LOOKUP': {
    domain: 'user',
    scope: 'record',
    retry: 'backoff',
    message: 'the function of lookup {step} threw: {problem}',
    help:
      'It is called again as often as `retry:` of the step says; then the rows that wait for this key are errors, ' +
      'and `errors:` of the source decides about them.',
  },
  'MR-CODE-LOOKUP-ROW': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'the function of lookup {step} gave or was given what does not fit: {problem}',
    help:
      'It resolves to an object with the fields of `schema`, a list of them, or null where nothing is found. A long ' +
      'beyond 2^53 - 1 cannot be asked by: CAST it AS string.',
  },
  'MR-CODE-SHAPE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '`{name}` of {module} cannot run a step: {problem}',
    help:
      'A `process` step needs a class with a method process(row, context), of which each subtask makes one object, ' +
      'or a function (row, context). Neither may be async. A step of the TypeScript API needs the job object that ' +
      'has its code.',
  },
  'MR-CODE-OPEN': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'step {step}: {what} of its code failed: {problem}',
    help:
      'The constructor, open() or close() of a `process` step threw, or declared a state in a way that cannot be: ' +
      'the message says which. The log has the stack.',
  },
  'MR-CODE-NO-KEY': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'step {step} uses {what}, which {problem}',
    help:
      'State and timers are per key: the step needs `key: [FIELD]`, and its code has to be a class (with onTimer() ' +
      'for timers). Event timers need rows with event time: `watermark` at their sources.',
  },
  'MR-CODE-STATE-VALUE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'step {step} cannot keep what was put into state {state}: {reason}',
    help:
      'State is saved with checkpoints, so its values must survive structured cloning: objects, arrays, maps, sets, ' +
      'dates, numbers, texts, typed arrays; no functions, promises or symbols.',
  },
  'MR-CODE-THREW': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'step {step}: {what} threw: {problem}{place}',
    help:
      'The code of a `process` step threw for this row. What the call had emitted is dropped; what it had changed in ' +
      'its state stays. `errors:` of the source says whether the job fails, or goes on with the next row. The log ' +
      'has the stack.',
  },
  'MR-CODE-READ': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'step {step} cannot read the field {field} of this row: its value is {problem}',
    help:
      'Rows of `process` steps are plain objects. A long beyond 2^53 - 1 is no number of JavaScript; with ' +
      '`longs: bigint` the step gets all longs as bigint.',
  },
  'MR-CODE-ROW': {
    domain: 'user',
    scope: 'record',
    retry: 'never',
    message: 'step {step} emitted {what} that cannot be written: {problem}',
    help:
      'What is emitted has fields of the declared schema only, of their types: a missing field, null and undefined ' +
      'are NULL. docs/job-file.md has the table of what stands for which type.',
  },
  'MR-CODE-SIDE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'step {step} emitted a row to the side {side}; those of the step are: {known}',
    help: '`sides:` of a `process` step names where else it emits rows, each with the fields of its rows.',
  },
});
