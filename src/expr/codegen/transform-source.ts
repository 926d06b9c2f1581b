/**
 * The loop over the rows of a batch that does a run of steps, in one version: narrow or wide, with or without checks
 * for NULLs.
 *
 * ```
 * …names of the arrays of columns…
 * try {
 *   rows: for (; row < end; row++) {
 *     …filter…        if (!v1) continue rows;
 *     …select…        const v2 = …;
 *     …flat-map…      e: for (; p0 < count; p0++) { if (outRow === capacity) break rows; … } p0 = 0;
 *     …append…        outValues[outRow] = v2; sourceRows[outRow] = row; outRow++;
 *   }
 * } catch (error) { … }
 * ```
 *
 * A row appends only as its last act, so that a row which needs wide code or fails has left nothing behind (but for the
 * elements of a flat-map that are already appended: their position is kept).
 */
import { CodeBuilder, code, columnKind, emptyCode, joinCode, loadWideDecimal } from '../../core/index.ts';
import type { Code, ColumnBatch, DataType, Expression, RowSchema, TransformStep } from '../../core/index.ts';
import { arrayAccess } from './column-access.ts';
import type { ColumnAccess, ColumnArrays, Mode } from './column-access.ts';
import { canFail } from './column-use.ts';
import { ExpressionEmitter } from './expression-emitter.ts';
import type { Binding } from './expression-emitter.ts';
import { elementSource, elementType } from './flat-map-elements.ts';
import { OutputEmitter } from './output-emitter.ts';
import { readableNulls } from './runtime/append.ts';
import type { InputUse } from './transform-plan.ts';
import { neededFields } from './transform-plan.ts';

export const RunStatus = Object.freeze({ done: 0, needWide: 1, failed: 2 });

/** What a generated run takes and gives back. Reused. */
export interface RunState {
  /** The row to begin with; then the next one, or the one that failed or needs wide code. */
  row: number;
  /** Rows from here on are not done in this run. */
  end: number;
  outRow: number;
  capacity: number;
  /** The row of the input that each row of the output came from. */
  sourceRows: Int32Array;
  /** The next element per flat-map, for a row that was left in the middle. */
  readonly positions: Int32Array;
  status: number;
  /** Index of the step that failed. */
  step: number;
  failure: unknown;
}

export type GeneratedRun = (batch: ColumnBatch, out: ColumnBatch, state: RunState) => void;

export interface TransformVersion {
  readonly mode: Mode;
  /** Whether a column that is read may have NULLs. */
  readonly nulls: boolean;
}

export interface TransformSource {
  readonly steps: readonly TransformStep[];
  readonly input: RowSchema;
  readonly output: RowSchema;
  readonly use: InputUse;
  readonly version: TransformVersion;
}

interface LoopNames {
  readonly batch: Code;
  readonly out: Code;
  readonly state: Code;
  readonly row: Code;
  readonly outRow: Code;
}

export class TransformGenerator {
  readonly #spec: TransformSource;
  readonly #builder = new CodeBuilder();
  readonly #names: LoopNames;
  readonly #emitter: ExpressionEmitter;
  readonly #outputs: OutputEmitter;
  readonly #needed: readonly ReadonlySet<number>[];
  readonly #prologue: Code[] = [];
  readonly #positions: Code[] = [];
  readonly #columnData = new Set<string>();

  constructor(spec: TransformSource) {
    this.#spec = spec;
    this.#needed = neededFields(spec.steps, spec.output);
    const name = () => this.#builder.fresh();
    this.#names = { batch: name(), out: name(), state: name(), row: name(), outRow: name() };
    this.#emitter = new ExpressionEmitter({
      builder: this.#builder,
      mode: spec.version.mode,
      column: (index) => this.#access(index),
      needWide: code`status = ${RunStatus.needWide}; break rows;`,
    });
    this.#outputs = new OutputEmitter(this.#emitter, this.#names.out, this.#names.outRow, this.#columnData);
  }

  compile(): GeneratedRun {
    const { batch, out, state } = this.#names;
    return this.#builder.build<GeneratedRun>([batch, out, state], this.#body());
  }

  source(): string {
    const { batch, out, state } = this.#names;
    return this.#builder.source([batch, out, state], this.#body());
  }

  #body(): Code {
    const { state, row, outRow } = this.#names;
    this.#emitSteps(0, code`continue rows;`);
    const loop = this.#emitter.finish();
    const positions = this.#positions.map((name, index) => code`let ${name} = ${state}.positions[${index}];`);
    const keep = this.#positions.map((name, index) => code`${state}.positions[${index}] = ${name};`);
    return code`let ${row} = ${state}.row, ${outRow} = ${state}.outRow, status = 0, step = 0;
const end = ${state}.end, capacity = ${state}.capacity, sourceRows = ${state}.sourceRows, outStart = ${outRow};
${positions}
${this.#prologue}
${this.#outputs.prologue()}
try {
rows: for (; ${row} < end; ${row}++) {
${loop}
}
} catch (error) {
status = ${RunStatus.failed};
${state}.failure = error;
}
${this.#outputs.epilogue()}
${keep}
${state}.row = ${row};
${state}.outRow = ${outRow};
${state}.status = status;
${state}.step = step;`;
  }

  #emitSteps(index: number, leave: Code): void {
    const step = this.#spec.steps[index];
    if (step === undefined) {
      this.#emitAppend();
      return;
    }
    if (this.#spec.steps.length > 1) this.#emitter.line(code`step = ${index};`);
    switch (step.kind) {
      case 'filter':
        this.#emitFilter(step.predicate, leave);
        this.#emitSteps(index + 1, leave);
        return;
      case 'select':
        this.#emitSelect(step, this.#needed[index] ?? new Set());
        this.#emitSteps(index + 1, leave);
        return;
      case 'flat-map':
        this.#emitFlatMap(step, index);
    }
  }

  /**
   * Conjuncts one by one, each leaving the row where it is not TRUE. Behind one that is NULL, Kleene's AND still
   * evaluates the others, which shows only if one of those can fail.
   */
  #emitFilter(predicate: Expression, leave: Code): void {
    const conjuncts = flattenAnd(predicate);
    for (const [index, conjunct] of conjuncts.entries()) {
      const of = this.#emitter.emit(conjunct);
      const rest = conjuncts.slice(index + 1);
      if (of.isNull !== null && rest.some(canFail)) {
        const all: Expression = { kind: 'logic', operator: 'and', args: [conjunct, ...rest], type: predicate.type };
        this.#emitter.line(code`if (!${this.#emitter.emitTruth(all)}) ${leave}`);
        return;
      }
      this.#emitter.line(code`if (!${this.#emitter.truth(of)}) ${leave}`);
    }
  }

  #emitSelect(step: Extract<TransformStep, { kind: 'select' }>, needed: ReadonlySet<number>): void {
    const emitter = this.#emitter;
    const bindings = step.fields.map(({ expression }, index): Binding | null => {
      if (!needed.has(index)) return null;
      if (expression.kind === 'column') return emitter.environment(expression.index, expression.type);
      return emitter.bindingOf(emitter.emit(expression));
    });
    emitter.setEnvironment((index) => bindings[index] as Binding);
  }

  #emitFlatMap(step: Extract<TransformStep, { kind: 'flat-map' }>, index: number): void {
    const emitter = this.#emitter;
    const position = this.#builder.fresh();
    const label = this.#builder.fresh();
    this.#positions.push(position);
    const alone = step.fields.length === 1;
    const sources = step.fields.map(({ expression }) => elementSource(emitter, expression, alone));
    const counts = sources.map(({ count }) => count);
    const count = alone ? (counts[0] as Code) : emitter.bind(code`Math.max(${joinCode(counts, ', ')})`);
    for (const source of sources) source.begin(position);
    const outer = emitter.environment;
    const scratchMark = this.#builder.fresh();
    const { block } = emitter.nested(() => {
      const kept = step.kept.map((field) => () => outer(field, this.#fieldType(index, field)));
      const elements = sources.map((source) => emitter.bindingOf(source.element(position)));
      emitter.setEnvironment((field) => kept[field]?.() ?? (elements[field - kept.length] as Binding));
      this.#emitSteps(index + 1, code`continue ${label};`);
    });
    const scratch = emitter.usedScratch;
    const mark = scratch === null ? emptyCode : code`const ${scratchMark} = ${scratch}.used;`;
    const reset = scratch === null ? emptyCode : code`${scratch}.used = ${scratchMark};`;
    emitter.line(code`${mark}
${label}: for (; ${position} < ${count}; ${position}++) {
if (${this.#names.outRow} === capacity) break rows;
${reset}
${block.toCode()}
}
${position} = 0;`);
  }

  /** The type of a field of the input of step `index`. */
  #fieldType(index: number, field: number): DataType {
    const { steps, input } = this.#spec;
    let fields = input.fields;
    for (const step of steps.slice(0, index)) {
      if (step.kind === 'select') fields = step.fields.map(({ name, expression }) => ({ name, type: expression.type }));
      if (step.kind === 'flat-map') {
        const elements = step.fields.map(({ name, expression }) => ({ name, type: elementType(expression.type) }));
        fields = [...step.kept.map((kept) => fields[kept] as (typeof fields)[number]), ...elements];
      }
    }
    return (fields[field] as (typeof fields)[number]).type;
  }

  #emitAppend(): void {
    const { row, outRow } = this.#names;
    const emitter = this.#emitter;
    this.#spec.output.fields.forEach(({ type }, index) => {
      if (this.#spec.use.passed[index] !== null) return;
      this.#outputs.store(index, type, emitter.environment(index, type).operand());
    });
    emitter.line(code`sourceRows[${outRow}] = ${row};\n${outRow}++;`);
  }

  #access(index: number): ColumnAccess {
    const { version, input } = this.#spec;
    const type = (input.fields[index] as { type: DataType }).type;
    const column = this.#builder.fresh();
    const declare = (property: Code) => {
      const name = this.#builder.fresh();
      this.#prologue.push(code`const ${name} = ${property};`);
      return name;
    };
    this.#prologue.push(code`const ${column} = ${this.#names.batch}.columns[${index}];`);
    const readable = this.#builder.constant(readableNulls);
    const nulls = version.nulls ? declare(code`${readable}(${column}, end)`) : null;
    return arrayAccess(type, this.#arrays(type, column, nulls, declare), this.#names.row, version.mode);
  }

  #arrays(type: DataType, column: Code, nulls: Code | null, declare: (property: Code) => Code): ColumnArrays {
    const kind = columnKind(type);
    if (kind === 'bytes') {
      const data = declare(code`${column}.data`);
      this.#columnData.add(data.text);
      return { nulls, data, starts: declare(code`${column}.starts`), ends: declare(code`${column}.ends`) };
    }
    const values = declare(code`${column}.values`);
    if (this.#spec.version.mode === 'narrow' || (kind !== 'long' && kind !== 'decimal')) return { nulls, values };
    const wide = declare(code`${column}.wide`);
    return { nulls, values, wide, loadWideDecimal: this.#builder.constant(loadWideDecimal) };
  }
}

function flattenAnd(predicate: Expression): readonly Expression[] {
  if (predicate.kind !== 'logic' || predicate.operator !== 'and') return [predicate];
  return predicate.args.flatMap(flattenAnd);
}
