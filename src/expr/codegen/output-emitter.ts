/** Stores of computed fields into the output's columns, and what has to be done before and after the loop for them. */
import { code, columnKind, emptyCode } from '../../core/index.ts';
import type { Code, DataType } from '../../core/index.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { valueOf } from './operand.ts';
import type { Operand, Slice } from './operand.ts';
import { appendSlice, appendText, storeDecimal, storeLong } from './runtime/append.ts';

export class OutputEmitter {
  readonly #emitter: ExpressionEmitter;
  readonly #out: Code;
  readonly #outRow: Code;
  /** Names of the data of input columns: the same for all rows of a batch, so that an output column can borrow it. */
  readonly #columnData: ReadonlySet<string>;
  readonly #prologue: Code[] = [];
  readonly #epilogue: Code[] = [];

  constructor(emitter: ExpressionEmitter, out: Code, outRow: Code, columnData: ReadonlySet<string>) {
    this.#emitter = emitter;
    this.#out = out;
    this.#outRow = outRow;
    this.#columnData = columnData;
  }

  prologue(): readonly Code[] {
    return this.#prologue;
  }

  epilogue(): readonly Code[] {
    return this.#epilogue;
  }

  store(index: number, type: DataType, of: Operand): void {
    const emitter = this.#emitter;
    const column = emitter.builder.fresh();
    this.#prologue.push(code`const ${column} = ${this.#out}.columns[${index}];`);
    const { block } = emitter.nested(() => {
      this.#storeValue(column, type, of);
    });
    if (of.isNull === null) {
      emitter.line(block.toCode());
      this.#epilogue.push(code`if (${column}.hasNulls) ${column}.nulls.fill(0, outStart, ${this.#outRow});`);
      return;
    }
    const nulls = emitter.builder.fresh();
    const sawNull = emitter.builder.fresh();
    this.#prologue.push(
      code`const ${nulls} = ${column}.nulls; let ${sawNull} = false;
if (!${column}.hasNulls) ${nulls}.fill(0, 0, ${this.#outRow});`,
    );
    this.#epilogue.push(code`if (${sawNull}) ${column}.hasNulls = true;`);
    const value = of.constant?.value === null ? emptyCode : block.toCode();
    emitter.line(
      code`if (${of.isNull}) { ${nulls}[${this.#outRow}] = 1; ${sawNull} = true; }
else { ${nulls}[${this.#outRow}] = 0;\n${value}\n}`,
    );
  }

  #storeValue(column: Code, type: DataType, of: Operand): void {
    const { builder, mode } = this.#emitter;
    const row = this.#outRow;
    switch (columnKind(type)) {
      case 'boolean':
        this.#emitter.line(code`${this.#property(column, code`values`)}[${row}] = ${valueOf(of)} ? 1 : 0;`);
        return;
      case 'long':
      case 'decimal':
        if (mode === 'wide') {
          const store = builder.constant(type.kind === 'long' ? storeLong : storeDecimal);
          this.#emitter.line(code`${store}(${column}, ${row}, ${valueOf(of)});`);
          return;
        }
        break;
      case 'bytes':
        this.#storeBytes(column, of);
        return;
      default:
        break;
    }
    this.#emitter.line(code`${this.#property(column, code`values`)}[${row}] = ${valueOf(of)};`);
  }

  #storeBytes(column: Code, of: Operand): void {
    const { builder } = this.#emitter;
    if (of.slice === null && of.type.kind !== 'bytes') {
      this.#emitter.line(code`${builder.constant(appendText)}(${column}, ${this.#outRow}, ${valueOf(of)});`);
      return;
    }
    const slice = this.#emitter.slice(of);
    const { data, start, end } = slice;
    if (this.#isBorrowable(of, slice)) {
      const broken = builder.constant(differentData);
      this.#prologue.push(
        code`if (${this.#outRow} > 0 && ${column}.data !== ${data}) ${broken}();\n${column}.data = ${data};`,
      );
      this.#emitter.line(
        code`${this.#property(column, code`starts`)}[${this.#outRow}] = ${start};
${this.#property(column, code`ends`)}[${this.#outRow}] = ${end};`,
      );
      return;
    }
    const append = builder.constant(appendSlice);
    this.#emitter.line(code`${append}(${column}, ${this.#outRow}, ${data}, ${start}, ${end});`);
  }

  #isBorrowable(of: Operand, { data }: Slice): boolean {
    return of.constant !== null || this.#columnData.has(data.text);
  }

  /** A local that holds an array of an output column. */
  #property(column: Code, name: Code): Code {
    const local = this.#emitter.builder.fresh();
    this.#prologue.push(code`const ${local} = ${column}.${name};`);
    return local;
  }
}

/** The output holds rows of one input batch only, and every version of the code borrows the same columns. */
function differentData(): never {
  throw new Error('rows of several batches in one output of a transform');
}
