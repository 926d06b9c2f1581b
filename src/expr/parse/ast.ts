/** The syntax of an expression, before types: what parse/ makes of text and check/ reads. */
import type { Span } from '../check/problem.ts';
import type { DataType } from '../../core/index.ts';

export interface NamePart {
  readonly text: string;
  readonly quoted: boolean;
  readonly span: Span;
}

export type Ast =
  /** `a`, `a.b.c`: a column and perhaps fields of it. */
  | { readonly kind: 'name'; readonly parts: readonly NamePart[]; readonly span: Span }
  /** Digits as written, with the signs that stand before them. */
  | { readonly kind: 'number'; readonly text: string; readonly span: Span }
  | { readonly kind: 'string'; readonly text: string; readonly span: Span }
  | { readonly kind: 'bytes'; readonly hex: string; readonly span: Span }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly span: Span }
  | { readonly kind: 'null'; readonly span: Span }
  /** INTERVAL 'text' FROM [TO UNIT]; units in upper case, null where none is written. */
  | {
      readonly kind: 'interval';
      readonly text: string;
      readonly from: string | null;
      readonly to: string | null;
      readonly span: Span;
    }
  | AstCall
  | {
      readonly kind: 'logic';
      readonly operator: 'and' | 'or' | 'not';
      readonly args: readonly Ast[];
      readonly span: Span;
    }
  | { readonly kind: 'is-null'; readonly arg: Ast; readonly negated: boolean; readonly span: Span }
  | {
      readonly kind: 'case';
      readonly operand: Ast | null;
      readonly branches: readonly { readonly when: Ast; readonly then: Ast }[];
      readonly otherwise: Ast | null;
      readonly span: Span;
    }
  | {
      readonly kind: 'cast';
      readonly arg: Ast;
      readonly target: AstType;
      readonly safe: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'in';
      readonly arg: Ast;
      readonly list: readonly Ast[];
      readonly negated: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'between';
      readonly arg: Ast;
      readonly low: Ast;
      readonly high: Ast;
      readonly symmetric: boolean;
      readonly negated: boolean;
      readonly span: Span;
    }
  | { readonly kind: 'field'; readonly arg: Ast; readonly name: NamePart; readonly span: Span }
  | { readonly kind: 'subscript'; readonly arg: Ast; readonly index: Ast; readonly span: Span };

/** A function or operator. */
export interface AstCall {
  readonly kind: 'call';
  /** In upper case, or an operator's sign. */
  readonly name: string;
  /** As written, for messages. */
  readonly written: string;
  readonly nameSpan: Span;
  readonly args: readonly Ast[];
  /** f(*). */
  readonly star: boolean;
  readonly distinct: boolean;
  readonly filter: Ast | null;
  readonly span: Span;
}

export interface AstType {
  /** Null where its problem is already reported. */
  readonly type: DataType | null;
  readonly maxLength: number | null;
  readonly span: Span;
}
