import { defineErrors } from '../../core/index.ts';

/** What can be wrong with code of users before a row has come. */
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
  'MR-CODE-SHAPE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '`{name}` of {module} cannot run a step: {problem}',
    help:
      'A `process` step needs a class with a method process(row, context), of which each subtask makes one object, or ' +
      'a function (row, context). A step of the TypeScript API needs the job object with its code.',
  },
});
