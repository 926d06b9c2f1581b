/**
 * Makes statements that compute typed expressions for one row. One emitter makes the statements of one row's work: of a
 * predicate, or of a whole run of steps. What was computed once in the current block or in one around it is not
 * computed again.
 */
import { code, formatType, joinCode, types } from '../../core/index.ts';
import type { Code, CodeBuilder, DataType, Expression } from '../../core/index.ts';
import { exprErrors } from '../errors.ts';
import { Block } from './block.ts';
import type { ColumnAccess, Mode } from './column-access.ts';
import { emitCall } from './emit-call.ts';
import { emitCast } from './emit-cast.ts';
import { emitCase, emitCoalesce, emitIsNull } from './emit-conditional.ts';
import { emitLogic } from './emit-logic.ts';
import { initialValue, isBytesType, literalOperand } from './literal-operand.ts';
import { operand, valueOf } from './operand.ts';
import type { Operand, Slice } from './operand.ts';
import { Scratch } from './runtime/scratch.ts';
import { decodeText, encodeText } from './runtime/text.ts';

export interface EmitterSpec {
  readonly builder: CodeBuilder;
  readonly column: (index: number) => ColumnAccess;
  readonly mode: Mode;
  /** Leaves the row; see emit-predicate.ts. */
  readonly needWide: Code;
}

/** What a column expression stands for: an operand, computed where it is first needed, and a name for keys. */
export interface Binding {
  readonly key: string;
  readonly operand: () => Operand;
  /** The field of the input that this is, unchanged; null for what was computed. */
  readonly input: number | null;
}

export type Environment = (index: number, type: DataType) => Binding;

export class ExpressionEmitter {
  readonly builder: CodeBuilder;
  readonly mode: Mode;
  readonly needWide: Code;
  readonly #root = new Block(null);
  #block = this.#root;
  #environment: Environment;
  /** Keys of expressions in the present environment. */
  #keys = new Map<Expression, string>();
  readonly #keyNumbers = new Map<string, number>();
  readonly #operandKeys = new Map<Operand, string>();
  #scratch: Code | null = null;

  constructor(spec: EmitterSpec) {
    this.builder = spec.builder;
    this.mode = spec.mode;
    this.needWide = spec.needWide;
    this.#environment = this.#accessEnvironment(spec.column);
  }

  /** All statements so far, to stand in one block. */
  finish(): Code {
    const reset = this.#scratch === null ? code`` : code`${this.#scratch}.used = 0;\n`;
    return code`${reset}${this.#root.toCode()}`;
  }

  /** Column expressions mean other operands from now on: the fields that a select made. */
  setEnvironment(environment: Environment): void {
    this.#environment = environment;
    this.#keys = new Map();
  }

  get environment(): Environment {
    return this.#environment;
  }

  line(statement: Code): void {
    this.#block.append(statement);
  }

  /** As line(), for text that is known only when the whole is put together. */
  later(statement: () => Code): void {
    this.#block.appendLater(statement);
  }

  /** A local that holds the value of a side-effect free expression. */
  bind(expression: Code): Code {
    const name = this.builder.fresh();
    this.line(code`const ${name} = ${expression};`);
    return name;
  }

  /** A local that is true where one of these locals is. */
  anyOf(conditions: readonly Code[]): Code {
    const [only] = conditions;
    if (only !== undefined && conditions.length === 1) return only;
    const any = joinCode(conditions, ' || ');
    const result = this.once(`any ${any.text}`, () => operand({ type: types.boolean, value: this.bind(any) }));
    return valueOf(result);
  }

  /** The statements that `emit` makes, as a block of their own, and what it returns. */
  nested<T>(emit: () => T): { readonly block: Block; readonly result: T } {
    const block = new Block(this.#block);
    return { block, result: this.within(block, emit) };
  }

  /** Goes on in a block made before. */
  within<T>(block: Block, emit: () => T): T {
    const outer = this.#block;
    this.#block = block;
    try {
      return emit();
    } finally {
      this.#block = outer;
    }
  }

  /** Computes the expression here, if it is not known here already. */
  emit(expression: Expression): Operand {
    if (expression.kind === 'column') return this.#environment(expression.index, expression.type).operand();
    return this.once(this.#keyOf(expression), () => this.#emitNew(expression));
  }

  /** A binding of a computed operand. */
  bindingOf(of: Operand): Binding {
    return { key: this.operandKey(of), input: null, operand: () => of };
  }

  /** True where the expression is TRUE, false where it is FALSE or NULL. */
  emitTruth(expression: Expression): Code {
    return this.truth(this.emit(expression));
  }

  truth(of: Operand): Code {
    return of.isNull === null ? valueOf(of) : this.bind(code`!${of.isNull} && ${valueOf(of)}`);
  }

  /** What once() has computed for the key, where it is known here. */
  known(key: string): Operand | undefined {
    return this.#block.find(key);
  }

  once(key: string, compute: () => Operand): Operand {
    const known = this.#block.find(key);
    if (known !== undefined) return known;
    const result = compute();
    this.#block.remember(key, result);
    return result;
  }

  #emitNew(expression: Exclude<Expression, { kind: 'column' }>): Operand {
    switch (expression.kind) {
      case 'literal': {
        const literal = literalOperand(this.builder, expression, this.mode);
        if (literal !== null) return literal;
        // The statement leaves the row; what follows is never reached, but has to be source all the same.
        this.line(this.needWide);
        return operand({ type: expression.type, value: initialValue(expression.type, this.mode) });
      }
      case 'call':
        return emitCall(this, expression);
      case 'cast':
        return emitCast(this, expression);
      case 'case':
        return emitCase(this, expression);
      case 'logic':
        return emitLogic(this, expression);
      case 'is-null':
        return emitIsNull(this, expression);
      case 'coalesce':
        return emitCoalesce(this, expression);
    }
  }

  /** Equal for expressions that compute the same from the same operands. */
  #keyOf(expression: Expression): string {
    const known = this.#keys.get(expression);
    if (known !== undefined) return known;
    const text = this.#describe(expression);
    let number = this.#keyNumbers.get(text);
    if (number === undefined) {
      number = this.#keyNumbers.size;
      this.#keyNumbers.set(text, number);
    }
    const key = `e${number}`;
    this.#keys.set(expression, key);
    return key;
  }

  #describe(expression: Expression): string {
    const keys = (args: readonly Expression[]) => args.map((arg) => this.#keyOf(arg)).join(' ');
    const type = formatType(expression.type);
    switch (expression.kind) {
      case 'column':
        return this.#environment(expression.index, expression.type).key;
      case 'literal':
        return `literal ${type} ${JSON.stringify(expression.value)}`;
      case 'call':
        return `call ${expression.overload} ${type} ${keys(expression.args)}`;
      case 'cast':
        return `cast ${expression.safe} ${type} ${keys([expression.arg])}`;
      case 'case': {
        const branches = expression.branches.flatMap(({ when, then }) => [when, then]);
        return `case ${type} ${keys([...branches, expression.otherwise])}`;
      }
      case 'logic':
        return `${expression.operator} ${keys(expression.args)}`;
      case 'is-null':
        return `is-null ${expression.negated} ${keys([expression.arg])}`;
      case 'coalesce':
        return `coalesce ${type} ${keys(expression.args)}`;
    }
  }

  /** A name for the operand, to build keys of what is computed from it. */
  operandKey(of: Operand): string {
    let key = this.#operandKeys.get(of);
    if (key === undefined) {
      key = `o${this.#operandKeys.size}`;
      this.#operandKeys.set(of, key);
    }
    return key;
  }

  #accessEnvironment(column: (index: number) => ColumnAccess): Environment {
    const accesses = new Map<number, ColumnAccess>();
    return (index, type) => {
      const key = `c${index}`;
      return {
        key,
        input: index,
        operand: () =>
          this.once(key, () => {
            const access = accesses.get(index) ?? column(index);
            accesses.set(index, access);
            return this.#load(access, type);
          }),
      };
    };
  }

  #load(access: ColumnAccess, type: DataType): Operand {
    const isNull = access.isNull === null ? null : this.bind(code`!!(${access.isNull})`);
    if (access.slice !== undefined) {
      const { data, start, end } = access.slice;
      return operand({ type, isNull, slice: { data, start: this.bind(start), end: this.bind(end) } });
    }
    if (access.value === undefined) {
      throw exprErrors.create('MR-EXPR-MALFORMED', { problem: `a column of type ${type.kind} has no access` });
    }
    const guarded = isNull !== null && this.mode === 'wide' && (type.kind === 'long' || type.kind === 'decimal');
    if (guarded) return operand({ type, isNull, value: this.bind(code`${isNull} ? 0n : ${access.value}`) });
    const value = type.kind === 'boolean' ? code`!!(${access.value})` : access.value;
    return operand({ type, isNull, value: this.bind(value) });
  }

  /** The bytes of a string, json or bytes operand; only where it is not NULL. */
  slice(of: Operand): Slice {
    if (of.slice !== null) return of.slice;
    const result = this.once(`${this.operandKey(of)} bytes`, () => {
      const { type } = of;
      if (type.kind === 'bytes') {
        const data = valueOf(of);
        return operand({ type, slice: { data, start: code`0`, end: this.bind(code`${data}.length`) } });
      }
      const scratch = this.scratch();
      const start = this.bind(code`${this.builder.constant(encodeText)}(${scratch}, ${valueOf(of)})`);
      return operand({
        type,
        slice: { data: this.bind(code`${scratch}.data`), start, end: this.bind(code`${scratch}.used`) },
      });
    });
    return result.slice as Slice;
  }

  /** A string or json operand as a JavaScript string; only where it is not NULL. */
  text(of: Operand): Code {
    if (of.value !== null) return of.value;
    if (of.constant !== null && typeof of.constant.value === 'string') return this.builder.constant(of.constant.value);
    const { data, start, end } = of.slice as Slice;
    const result = this.once(`${this.operandKey(of)} text`, () =>
      operand({
        type: of.type,
        value: this.bind(code`${this.builder.constant(decodeText)}(${data}, ${start}, ${end})`),
      }),
    );
    return valueOf(result);
  }

  /** The operand in the form of core/value.ts, for functions of the interpreter; only where it is not NULL. */
  interpreted(of: Operand): Code {
    if (of.constant !== null && of.constant.value !== null && typeof of.constant.value === 'bigint') {
      return this.builder.constant(of.constant.value);
    }
    switch (of.type.kind) {
      case 'long':
      case 'decimal':
        return this.mode === 'wide' ? valueOf(of) : code`BigInt(${valueOf(of)})`;
      case 'string':
      case 'json':
        return this.text(of);
      case 'bytes':
        return of.slice === null ? valueOf(of) : code`${of.slice.data}.slice(${of.slice.start}, ${of.slice.end})`;
      default:
        return valueOf(of);
    }
  }

  /** As interpreted(), and null where the operand is NULL. */
  interpretedOrNull(of: Operand): Code {
    if (of.isNull === null) return this.interpreted(of);
    const name = this.builder.fresh();
    const { block } = this.nested(() => {
      this.line(code`${name} = ${this.interpreted(of)};`);
    });
    this.line(code`let ${name} = null;\nif (!${of.isNull}) {\n${block.toCode()}\n}`);
    return name;
  }

  /** The operand of a value in the form of core/value.ts that is not null. */
  fromInterpreted(type: DataType, value: Code): Operand {
    if ((type.kind !== 'long' && type.kind !== 'decimal') || this.mode === 'wide') {
      return operand({ type, value });
    }
    const narrow = this.bind(code`Number(${value})`);
    this.checkSafe(narrow);
    return operand({ type, value: narrow });
  }

  /** Goes on only with a number that is exact: false for what rounding may have touched, and for NaN. */
  checkSafe(value: Code): void {
    const max = Number.MAX_SAFE_INTEGER;
    this.line(code`if (!(${value} <= ${max} && ${value} >= ${-max})) { ${this.needWide} }`);
  }

  /** The scratch bytes of the row where anything has used them so far. */
  get usedScratch(): Code | null {
    return this.#scratch;
  }

  /** The scratch bytes of the row. */
  scratch(): Code {
    this.#scratch ??= this.builder.constant(new Scratch());
    return this.#scratch;
  }

  /** A string, json or bytes operand as a JavaScript value. */
  valueForm(of: Operand): Code {
    return of.type.kind === 'bytes' ? this.interpreted(of) : this.text(of);
  }

  isBytes(type: DataType): boolean {
    return isBytesType(type);
  }
}
