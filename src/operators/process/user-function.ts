/** Whatever a module exports, as one object with the methods of a ProcessFunction. */
import type { CodeByRole, CodeRole, ProcessFunction, UserRow } from '../../core/index.ts';
import { codeErrors } from './code-errors.ts';
import type { ProcessSpec } from './process-spec.ts';
import { describeGiven } from './user-values.ts';

export interface UserFunction {
  readonly code: ProcessFunction;
  /** Whether it is an object of a class, which may remember things. */
  readonly isObject: boolean;
}

/** What runs per row of a step that is no filter. */
export function userFunctionOf(code: unknown, spec: ProcessSpec): UserFunction {
  const given = functionOf(code, spec);
  switch (spec.role as Exclude<CodeRole, 'filter'>) {
    case 'process': {
      if (isClass(given)) return { code: instanceOf(given, spec), isObject: true };
      return { code: { process: given as ProcessFunction['process'] }, isObject: false };
    }
    case 'map': {
      const map = given as CodeByRole['map'];
      return plain((row, context) => {
        context.emit(map(row) as UserRow);
      });
    }
    case 'flat-map': {
      const flatMap = given as CodeByRole['flat-map'];
      return plain((row, context) => {
        for (const each of flatMap(row)) context.emit(each as UserRow);
      });
    }
  }
}

function plain(process: ProcessFunction['process']): UserFunction {
  return { code: { process }, isObject: false };
}

export function filterOf(code: unknown, spec: ProcessSpec): CodeByRole['filter'] {
  return functionOf(code, spec) as CodeByRole['filter'];
}

type AnyFunction = (...given: never[]) => unknown;

function functionOf(code: unknown, spec: ProcessSpec): AnyFunction {
  if (typeof code !== 'function') {
    const isObject = typeof code === 'object' && code !== null && 'process' in code;
    const hint = isObject ? '; export its class instead, of which each subtask makes one' : '';
    return refuse(spec, `it is ${describeGiven(code)}, and neither a class nor a function${hint}`);
  }
  const given = code as AnyFunction;
  const { role } = spec;
  if (role !== 'process' && isClass(given)) return refuse(spec, `a ${role} step takes a function, and it is a class`);
  refuseAsync(given, spec, 'it');
  return given;
}

/** A class, or a function with the methods of one. */
function isClass(given: AnyFunction): boolean {
  const { prototype } = given as { readonly prototype?: unknown };
  if (typeof prototype === 'object' && prototype !== null && 'process' in prototype) return true;
  return /^class\b/.test(Function.prototype.toString.call(given));
}

function instanceOf(given: AnyFunction, spec: ProcessSpec): ProcessFunction {
  const made = construct(given as unknown as new () => unknown, spec);
  const { process, onTimer } = made as Readonly<Record<string, unknown>>;
  if (typeof process !== 'function') return refuse(spec, 'the class has no method process(row, context)');
  refuseAsync(process as AnyFunction, spec, 'process()');
  if (onTimer !== undefined && typeof onTimer !== 'function') return refuse(spec, 'its onTimer is no method');
  if (typeof onTimer === 'function') refuseAsync(onTimer as AnyFunction, spec, 'onTimer()');
  return made as ProcessFunction;
}

function construct(Made: new () => unknown, { stepId }: ProcessSpec): unknown {
  try {
    return new Made();
  } catch (error) {
    throw codeErrors.create('MR-CODE-OPEN', { step: stepId, what: 'the constructor', problem: String(error) }, error);
  }
}

function refuseAsync(given: AnyFunction, spec: ProcessSpec, what: string): void {
  if (Object.prototype.toString.call(given) !== '[object AsyncFunction]') return;
  refuse(spec, `${what} is async, and a step waits for nothing: what asks a service is the \`lookup\` step`);
}

/** Nobody waits for it, and nobody would hear of its failure. */
export function refusePromise(given: unknown, what: string, spec: ProcessSpec): void {
  if (typeof given !== 'object' || given === null || !('then' in given) || typeof given.then !== 'function') return;
  Promise.resolve(given as PromiseLike<unknown>).catch(() => undefined);
  refuse(spec, `${what} has returned a promise, and a step waits for nothing`);
}

function refuse({ code: { module, name } }: ProcessSpec, problem: string): never {
  throw codeErrors.create('MR-CODE-SHAPE', { module, name, problem });
}
