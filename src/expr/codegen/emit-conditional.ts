/** CASE, COALESCE and IS NULL: only what is needed is evaluated. */
import { code } from '../../core/index.ts';
import type { CaseExpression, CoalesceExpression, IsNullExpression } from '../../core/index.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { merge } from './merge.ts';
import type { Branch } from './merge.ts';
import { operand } from './operand.ts';
import type { Operand } from './operand.ts';

/**
 * ```
 * label: { if (first condition) { …; result = …; break label; } if (second condition) { … } …; result = …; }
 * ```
 * The conditions stand in one block, so that a later one knows what an earlier one computed.
 */
export function emitCase(emitter: ExpressionEmitter, expression: CaseExpression): Operand {
  const label = emitter.builder.fresh();
  const branches: Branch[] = [];
  const body = emitter.nested(() => {
    for (const { when, then } of expression.branches) {
      const condition = emitter.emitTruth(when);
      const { block, result } = emitter.nested(() => emitter.emit(then));
      branches.push({ block, operand: result });
      emitter.later(() => code`if (${condition}) {\n${block.toCode()}\nbreak ${label};\n}`);
    }
    const { block, result } = emitter.nested(() => emitter.emit(expression.otherwise));
    branches.push({ block, operand: result });
    emitter.later(() => block.toCode());
  });
  const merged = merge(emitter, expression.type, branches, false);
  emitter.line(code`${merged.declarations}\n${label}: {\n${body.block.toCode()}\n}`);
  return merged.result;
}

/** As CASE WHEN a IS NOT NULL THEN a WHEN b IS NOT NULL THEN b … */
export function emitCoalesce(emitter: ExpressionEmitter, expression: CoalesceExpression): Operand {
  const first = expression.args[0];
  if (first !== undefined) {
    const only = emitter.emit(first);
    if (only.isNull === null) return only;
  }
  const label = emitter.builder.fresh();
  const branches: Branch[] = [];
  let certain = false;
  const body = emitter.nested(() => {
    for (const arg of expression.args) {
      const value = emitter.emit(arg);
      if (value.constant?.value === null) continue;
      const { block } = emitter.nested(() => undefined);
      branches.push({ block, operand: { ...value, isNull: null } });
      if (value.isNull === null) {
        emitter.later(() => block.toCode());
        certain = true;
        break;
      }
      emitter.later(() => code`if (!${value.isNull ?? false}) {\n${block.toCode()}\nbreak ${label};\n}`);
    }
  });
  const merged = merge(emitter, expression.type, branches, !certain);
  emitter.line(code`${merged.declarations}\n${label}: {\n${body.block.toCode()}\n}`);
  return merged.result;
}

export function emitIsNull(emitter: ExpressionEmitter, expression: IsNullExpression): Operand {
  const { isNull } = emitter.emit(expression.arg);
  const { negated, type } = expression;
  if (isNull === null) return operand({ type, value: code`${negated}` });
  return operand({ type, value: negated ? emitter.bind(code`!${isNull}`) : isNull });
}
