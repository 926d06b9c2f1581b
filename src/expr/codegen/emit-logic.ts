/** Kleene's AND, OR, NOT: left to right, ended by the first argument that decides; a NULL does not end it. */
import { code } from '../../core/index.ts';
import type { Code, Expression, LogicExpression } from '../../core/index.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { operand, valueOf } from './operand.ts';
import type { Operand } from './operand.ts';

export function emitLogic(emitter: ExpressionEmitter, expression: LogicExpression): Operand {
  const { type, args } = expression;
  if (expression.operator === 'not') {
    const arg = emitter.emit(args[0] as Expression);
    return operand({ type, isNull: arg.isNull, value: emitter.bind(code`!${valueOf(arg)}`) });
  }
  return emitJunction(emitter, expression, expression.operator === 'or');
}

/** `deciding` is the value of an argument that is the result at once: FALSE for AND, TRUE for OR. */
function emitJunction(emitter: ExpressionEmitter, expression: LogicExpression, deciding: boolean): Operand {
  const label = emitter.builder.fresh();
  const value = emitter.builder.fresh();
  const isNull = emitter.builder.fresh();
  const body = emitter.nested(() =>
    expression.args.reduce((nullable, arg) => {
      const of = emitter.emit(arg);
      const nullableNow = nullable || of.isNull !== null;
      emitter.line(junctionStep(of, { label, value, isNull, deciding, nullable: nullableNow }));
      return nullableNow;
    }, false),
  );
  const nullable = body.result;
  emitter.line(code`let ${value} = ${!deciding};`);
  if (nullable) emitter.line(code`let ${isNull} = false;`);
  emitter.line(code`${label}: {\n${body.block.toCode()}\n}`);
  return operand({ type: expression.type, isNull: nullable ? isNull : null, value });
}

interface Junction {
  readonly label: Code;
  readonly value: Code;
  readonly isNull: Code;
  readonly deciding: boolean;
  /** An argument up to this one may be NULL. */
  readonly nullable: boolean;
}

function junctionStep(of: Operand, { label, value, isNull, deciding, nullable }: Junction): Code {
  const decides = deciding ? valueOf(of) : code`!${valueOf(of)}`;
  const known = nullable ? code`${isNull} = false;` : code``;
  const decide = code`if (${decides}) { ${value} = ${deciding}; ${known} break ${label}; }`;
  if (of.isNull === null) return decide;
  return code`if (${of.isNull}) ${isNull} = true;\nelse ${decide}`;
}
