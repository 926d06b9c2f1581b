/** Where the elements of a flat-map come from: arrays, or pieces of a text that never becomes an array. */
import { code, types } from '../../core/index.ts';
import type { Code, DataType, Expression } from '../../core/index.ts';
import { fromNullable } from './call-site.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { operand, valueOf } from './operand.ts';
import type { Operand, Slice } from './operand.ts';
import { pieceCount, pieceEnd, pieceStart } from './runtime/strings.ts';

export interface ElementSource {
  /** How many there are: a local. */
  readonly count: Code;
  /** Statements right before the loop, which may begin at any position. */
  readonly begin: (position: Code) => void;
  /** The element at the position; called once, at the beginning of the loop's body. */
  readonly element: (position: Code) => Operand;
}

/** `alone`: no other array is gone through at the same time. */
export function elementSource(emitter: ExpressionEmitter, expression: Expression, alone: boolean): ElementSource {
  return (alone ? piecesOf(emitter, expression) : null) ?? arrayElements(emitter, expression, alone);
}

function arrayElements(emitter: ExpressionEmitter, expression: Expression, alone: boolean): ElementSource {
  const array = emitter.emit(expression);
  const items = valueOf(array);
  const length = array.isNull === null ? code`${items}.length` : code`${array.isNull} ? 0 : ${items}.length`;
  const count = emitter.bind(length);
  return {
    count,
    begin: () => undefined,
    element: (position) => {
      const item = code`${items}[${position}]`;
      const raw = emitter.bind(alone ? item : code`${position} < ${count} ? ${item} : null`);
      return fromNullable(emitter, elementType(expression.type), raw);
    },
  };
}

export function elementType(type: DataType): DataType {
  if (type.kind !== 'array') throw new TypeError(`flat-map over a ${type.kind}`);
  return type.element;
}

/** SPLIT(text, 'separator'): slices of the text. */
function piecesOf(emitter: ExpressionEmitter, expression: Expression): ElementSource | null {
  if (expression.kind !== 'call' || expression.overload !== 'split(string,string)') return null;
  const [textExpression, separatorExpression] = expression.args as readonly [Expression, Expression];
  if (separatorExpression.kind !== 'literal' || !isText(separatorExpression.value)) return null;
  const separator = emitter.slice(emitter.emit(separatorExpression));
  const cut = code`${separator.data}, ${separator.start}, ${separator.end}`;
  const text = emitter.emit(textExpression);
  const slice = sliceOrEmpty(emitter, text);
  const { builder } = emitter;
  const pieces = code`${builder.constant(pieceCount)}(${slice.data}, ${slice.start}, ${slice.end}, ${cut})`;
  const count = emitter.bind(text.isNull === null ? pieces : code`${text.isNull} ? 0 : ${pieces}`);
  const next = builder.fresh();
  return {
    count,
    begin: (position) => {
      const find = builder.constant(pieceStart);
      const first = code`${find}(${slice.data}, ${slice.start}, ${slice.end}, ${cut}, ${position})`;
      emitter.line(code`let ${next} = ${position} < ${count} ? ${first} : 0;`);
    },
    element: () => {
      const start = emitter.bind(next);
      const end = emitter.bind(code`${builder.constant(pieceEnd)}(${slice.data}, ${start}, ${slice.end}, ${cut})`);
      emitter.line(code`${next} = ${end} + (${separator.end} - ${separator.start});`);
      return operand({ type: types.string, slice: { data: slice.data, start, end } });
    },
  };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** The bytes of a text that may be NULL, and then are any: converting a string needs one. */
function sliceOrEmpty(emitter: ExpressionEmitter, text: Operand): Slice {
  if (text.slice !== null) return text.slice;
  const known = operand({ type: text.type, value: text.value });
  return emitter.slice(known);
}
