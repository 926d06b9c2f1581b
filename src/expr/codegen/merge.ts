/** Locals that get their values in one of several blocks: the branches of a CASE, the guarded body of a call. */
import { code, joinCode } from '../../core/index.ts';
import type { Code, DataType } from '../../core/index.ts';
import type { Block } from './block.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { initialValue, nullOperand } from './literal-operand.ts';
import { operand, valueOf } from './operand.ts';
import type { Operand } from './operand.ts';

export interface Branch {
  readonly block: Block;
  readonly operand: Operand;
}

export interface Merged {
  /** Stands before the blocks. */
  readonly declarations: Code;
  readonly result: Operand;
}

/**
 * Ends every branch's block with the assignment of its operand to common locals. `startsNull`: where no block runs,
 * the result is NULL.
 */
export function merge(
  emitter: ExpressionEmitter,
  type: DataType,
  branches: readonly Branch[],
  startsNull: boolean,
): Merged {
  const nullable = startsNull || branches.some((branch) => branch.operand.isNull !== null);
  const isNull = nullable ? emitter.builder.fresh() : null;
  const asSlice =
    emitter.isBytes(type) && branches.some(({ operand: of }) => of.slice !== null && of.constant === null);
  const target = asSlice ? sliceTarget(emitter, type, isNull) : valueTarget(emitter, type, isNull, branches);
  for (const branch of branches) {
    emitter.within(branch.block, () => {
      assign(emitter, branch.operand, target.result);
    });
  }
  const declareNull = isNull === null ? code`` : code`let ${isNull} = ${startsNull};`;
  return { declarations: code`${declareNull}${target.declarations}`, result: target.result };
}

/**
 * The result of a block that runs only where `isNull` (a local) is false; it stands here, with its condition. Where the
 * block itself makes no NULL, the result is NULL exactly where the block did not run.
 */
export function guarded(emitter: ExpressionEmitter, isNull: Code, { block, operand: of }: Branch): Operand {
  const merged = merge(emitter, of.type, [{ block, operand: of }], of.isNull !== null);
  emitter.line(code`${merged.declarations}\nif (!${isNull}) {\n${block.toCode()}\n}`);
  return of.isNull === null ? { ...merged.result, isNull } : merged.result;
}

function sliceTarget(emitter: ExpressionEmitter, type: DataType, isNull: Code | null): Merged {
  const slice = { data: emitter.builder.fresh(), start: emitter.builder.fresh(), end: emitter.builder.fresh() };
  const empty = nullOperand(emitter.builder, type, emitter.mode).slice;
  return {
    declarations: code`let ${slice.data} = ${empty?.data ?? code`null`}, ${slice.start} = 0, ${slice.end} = 0;`,
    result: operand({ type, isNull, slice }),
  };
}

function valueTarget(
  emitter: ExpressionEmitter,
  type: DataType,
  isNull: Code | null,
  branches: readonly Branch[],
): Merged {
  const value = emitter.builder.fresh();
  const bound = Math.max(0, ...branches.map((branch) => branch.operand.bound));
  return {
    declarations: code`let ${value} = ${initialValue(type, emitter.mode)};`,
    result: operand({ type, isNull, value, bound }),
  };
}

function assign(emitter: ExpressionEmitter, of: Operand, target: Operand): void {
  if (of.constant?.value === null) {
    emitter.line(code`${target.isNull ?? code`null`} = true;`);
    return;
  }
  const { block } = emitter.nested(() => {
    emitter.line(joinCode(assignments(emitter, of, target), '\n'));
  });
  if (target.isNull !== null) emitter.line(code`${target.isNull} = ${of.isNull ?? false};`);
  emitter.line(of.isNull === null ? block.toCode() : code`if (!${of.isNull}) {\n${block.toCode()}\n}`);
}

function assignments(emitter: ExpressionEmitter, of: Operand, target: Operand): Code[] {
  if (target.slice !== null) {
    const from = emitter.slice(of);
    return [
      code`${target.slice.data} = ${from.data};`,
      code`${target.slice.start} = ${from.start};`,
      code`${target.slice.end} = ${from.end};`,
    ];
  }
  return [code`${valueOf(target)} = ${emitter.isBytes(of.type) ? emitter.valueForm(of) : valueOf(of)};`];
}
