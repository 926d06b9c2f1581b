import type { AggregateCall, RowSchema } from '../../core/index.ts';

/** As in a job graph; times in ms. */
export type SlicedWindow =
  | { readonly kind: 'tumble'; readonly sizeMs: number; readonly offsetMs: number }
  | { readonly kind: 'hop'; readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number }
  | { readonly kind: 'cumulate'; readonly stepMs: number; readonly maxMs: number; readonly offsetMs: number };

export interface SessionWindow {
  readonly kind: 'session';
  readonly gapMs: number;
}

export interface CountWindow {
  readonly kind: 'count';
  readonly size: number;
}

export type WindowField =
  | { readonly kind: 'key'; readonly key: number }
  | { readonly kind: 'call'; readonly call: number }
  | { readonly kind: 'window-start' }
  | { readonly kind: 'window-end' };

/** The WindowNode of a job graph. */
export interface WindowSpec<W = SlicedWindow | SessionWindow | CountWindow> {
  readonly stepId: string;
  readonly keys: readonly number[];
  readonly calls: readonly AggregateCall[];
  readonly window: W;
  readonly latenessMs: number;
  readonly earlyMs: number | null;
  readonly fields: readonly WindowField[];
  readonly input: RowSchema;
  readonly output: RowSchema;
}
