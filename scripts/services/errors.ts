/** A failure that the person at the terminal can act on: printed as one line, without a stack. */
export class ServicesError extends Error {
  override readonly name = 'ServicesError';
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Bad usage, or a machine without the tools that are needed. */
export const USAGE_EXIT_CODE = 2;
