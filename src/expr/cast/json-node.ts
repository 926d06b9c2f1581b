/**
 * JSON as a tree that keeps the spelling of numbers, so that no digit is lost on the way to a long or a decimal.
 * Nesting is bounded: hostile input must not exhaust the stack.
 */

export type JsonNode =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** In the spelling of the text. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  /** In the order of the text; of repeated names the last counts. */
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonNode> };

export const MAX_JSON_DEPTH = 512;

/** The tree of a text, or null where it is not JSON (RFC 8259) or is nested too deeply. */
export function parseJson(text: string): JsonNode | null {
  const reader = new JsonReader(text);
  try {
    return reader.document();
  } catch (error) {
    if (error instanceof JsonSyntaxError) return null;
    throw error;
  }
}

class JsonSyntaxError extends Error {}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const BLANKS = /[ \t\n\r]*/y;

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode {
    const node = this.#value();
    if (this.#at !== this.#text.length) throw new JsonSyntaxError();
    return node;
  }

  #value(): JsonNode {
    this.#skipBlanks();
    const node = this.#bareValue();
    this.#skipBlanks();
    return node;
  }

  #bareValue(): JsonNode {
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return { kind: 'string', value: this.#string() };
      case 't':
        return this.#word('true', { kind: 'boolean', value: true });
      case 'f':
        return this.#word('false', { kind: 'boolean', value: false });
      case 'n':
        return this.#word('null', { kind: 'null' });
      default:
        return { kind: 'number', text: this.#match(NUMBER) };
    }
  }

  #nested(read: () => JsonNode): JsonNode {
    if (++this.#depth > MAX_JSON_DEPTH) throw new JsonSyntaxError();
    this.#at++;
    this.#skipBlanks();
    const node = read();
    this.#depth--;
    return node;
  }

  #object(): JsonNode {
    const members = new Map<string, JsonNode>();
    if (this.#take('}')) return { kind: 'object', members };
    do {
      this.#skipBlanks();
      const name = this.#string();
      this.#skipBlanks();
      if (!this.#take(':')) throw new JsonSyntaxError();
      members.set(name, this.#value());
    } while (this.#take(','));
    if (!this.#take('}')) throw new JsonSyntaxError();
    return { kind: 'object', members };
  }

  #array(): JsonNode {
    const items: JsonNode[] = [];
    if (this.#take(']')) return { kind: 'array', items };
    do items.push(this.#value());
    while (this.#take(','));
    if (!this.#take(']')) throw new JsonSyntaxError();
    return { kind: 'array', items };
  }

  /** A loop and not a pattern: patterns keep a backtracking state per character of a long string. */
  #string(): string {
    const text = this.#text;
    const start = this.#at;
    if (text[start] !== '"') throw new JsonSyntaxError();
    let escaped = false;
    let at = start + 1;
    for (; ; at++) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) break;
      if (unit === 0x5c) {
        escaped = true;
        at++;
      } else if (!(unit >= 0x20)) {
        throw new JsonSyntaxError();
      }
    }
    this.#at = at + 1;
    return escaped ? unescape(text.slice(start, at + 1)) : text.slice(start + 1, at);
  }

  #word(word: string, node: JsonNode): JsonNode {
    if (!this.#text.startsWith(word, this.#at)) throw new JsonSyntaxError();
    this.#at += word.length;
    return node;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    BLANKS.lastIndex = this.#at;
    this.#at += BLANKS.exec(this.#text)?.[0].length ?? 0;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined || found === '') throw new JsonSyntaxError();
    this.#at += found.length;
    return found;
  }
}

function unescape(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new JsonSyntaxError();
  }
}

/** Compact JSON text. */
export function formatJson(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return String(node.value);
    case 'number':
      return node.text;
    case 'string':
      return JSON.stringify(node.value);
    case 'array':
      return `[${node.items.map(formatJson).join(',')}]`;
    case 'object':
      return `{${[...node.members].map(([name, value]) => `${JSON.stringify(name)}:${formatJson(value)}`).join(',')}}`;
  }
}
