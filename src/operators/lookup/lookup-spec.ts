import type { CodeReference, LookupSpec, RowSchema } from '../../core/index.ts';

/** A lookup step as its operator needs it; the job graph says what each part means. Times in ms. */
export interface LookupStep {
  readonly stepId: string;
  readonly spec: LookupSpec;
  /** Null where a connector answers. */
  readonly code: CodeReference | null;
  readonly keys: readonly number[];
  readonly kept: readonly number[];
  readonly found: readonly number[];
  readonly type: 'left' | 'inner';
  readonly isOrdered: boolean;
  readonly capacity: number;
  readonly timeoutMs: number;
  readonly retry: RetrySettings;
  readonly cache: CacheSettings | null;
  readonly input: RowSchema;
  readonly output: RowSchema;
}

export interface RetrySettings {
  /** The first one counts. */
  readonly attempts: number;
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface CacheSettings {
  readonly rows: number;
  /** Null for ever. */
  readonly ttlMs: number | null;
  /** Whether it is remembered, too, that nothing was found. */
  readonly keepsMissing: boolean;
}
