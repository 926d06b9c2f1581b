/** Statements in the making: nested blocks, each with what has been computed in it already. */
import { joinCode } from '../../core/index.ts';
import type { Code } from '../../core/index.ts';
import type { Operand } from './operand.ts';

export class Block {
  readonly parent: Block | null;
  readonly #lines: (() => Code)[] = [];
  readonly #computed = new Map<string, Operand>();

  constructor(parent: Block | null) {
    this.parent = parent;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  append(line: Code): void {
    this.#lines.push(() => line);
  }

  /** A statement whose text is known only when the whole is put together. */
  appendLater(line: () => Code): void {
    this.#lines.push(line);
  }

  /** What this block or one around it has computed under the key; what an inner block did may not have run. */
  find(key: string): Operand | undefined {
    return this.#computed.get(key) ?? this.parent?.find(key);
  }

  remember(key: string, operand: Operand): void {
    this.#computed.set(key, operand);
  }

  toCode(): Code {
    return joinCode(
      this.#lines.map((line) => line()),
      '\n',
    );
  }
}
