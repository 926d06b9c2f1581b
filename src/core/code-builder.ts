/**
 * Generated source, made so that text of a user cannot enter it: pieces of source come only from the template strings
 * of our own files (the `code` tag), identifiers are made here, and every literal goes into the constants array. (An
 * interpolated string in generated code was Flink's GHSA-2f54-v4hm-fx73.)
 */

declare const trusted: unique symbol;

/** A piece of source that this module made. */
export interface Code {
  readonly text: string;
  readonly [trusted]: true;
}

function trust(text: string): Code {
  return { text } as Code;
}

/** Source from a template. Only other code, integers and booleans can be interpolated; a string cannot. */
export function code(
  strings: TemplateStringsArray,
  ...parts: readonly (Code | number | boolean | readonly Code[])[]
): Code {
  let text = strings[0] ?? '';
  parts.forEach((part, index) => {
    text += pieceText(part) + (strings[index + 1] ?? '');
  });
  return trust(text);
}

function pieceText(part: Code | number | boolean | readonly Code[]): string {
  if (typeof part === 'number') {
    if (!Number.isFinite(part)) throw new RangeError('only finite numbers stand in generated source');
    return part < 0 || Object.is(part, -0) ? `(${Object.is(part, -0) ? '-0' : String(part)})` : String(part);
  }
  if (typeof part === 'boolean') return String(part);
  if (Array.isArray(part)) return (part as readonly Code[]).map((p) => p.text).join('\n');
  const piece = part as Code;
  if (typeof piece.text !== 'string') throw new TypeError('only code, numbers and booleans stand in generated source');
  return piece.text;
}

export function joinCode(parts: readonly Code[], separator: '\n' | ', ' | ' && ' | ' || ' | ' + ' | '; '): Code {
  return trust(parts.map((part) => part.text).join(separator));
}

export const emptyCode: Code = trust('');

/** Collects the constants and makes the identifiers of one generated function. */
export class CodeBuilder {
  readonly constants: unknown[] = [];
  readonly #names = new Map<unknown, Code>();
  readonly #preamble: string[] = [];
  #next = 0;

  /** An identifier that nothing else in this function has. */
  fresh(): Code {
    return trust(`v${this.#next++}`);
  }

  /** An identifier bound to `value` for the whole function; the same value gives the same identifier. */
  constant(value: unknown): Code {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const name = trust(`c${this.constants.length}`);
    this.#preamble.push(`const ${name.text} = constants[${this.constants.length}];`);
    this.constants.push(value);
    this.#names.set(value, name);
    return name;
  }

  /**
   * The function `(params) => { body }`, its constants bound. `shared` is code that runs once, before: helpers and
   * scratch variables that live as long as the function.
   */
  build<F>(params: readonly Code[], body: Code, shared: Code = emptyCode): F {
    const source = this.source(params, body, shared);
    // The one place where source becomes code; everything in it passed through the tag above.
    const make = new Function('constants', source) as (constants: readonly unknown[]) => F;
    return make(this.constants);
  }

  /** What build() compiles, for tests and for `explain`. */
  source(params: readonly Code[], body: Code, shared: Code = emptyCode): string {
    return [
      "'use strict';",
      ...this.#preamble,
      shared.text,
      `return function generated(${params.map((p) => p.text).join(', ')}) {`,
      body.text,
      '};',
    ].join('\n');
  }
}
