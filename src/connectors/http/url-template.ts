/**
 * `http://host/path/{name}?q={other}`: what stands in braces is replaced by a value, percent-encoded, so that it is
 * never more than a part of the path or of a parameter. The host is fixed: data cannot choose who is asked.
 */
const PLACEHOLDER = /\{([^{}]*)\}/g;
const ORIGIN = /^https?:\/\/[^/?#]*/i;

export class UrlTemplate {
  /** Texts and, between them, the indexes of values. */
  readonly #texts: readonly string[];
  readonly #values: readonly number[];
  /** How many of the values stand in the path, before parameters. */
  readonly #inPath: number;

  /** `names` are the values' names, in order. */
  constructor(template: string, names: readonly string[]) {
    const parts = template.split(PLACEHOLDER);
    this.#texts = parts.filter((_, index) => index % 2 === 0);
    this.#values = parts.filter((_, index) => index % 2 === 1).map((name) => names.indexOf(name));
    const parameters = this.#texts.findIndex((text) => /[?#]/.test(text));
    this.#inPath = parameters < 0 ? this.#values.length : parameters;
  }

  /** Null where a value would be a step in the path (`..`): no encoding keeps clients and servers from taking it. */
  fill(values: readonly string[]): string | null {
    let url = this.#texts[0] ?? '';
    for (let index = 0; index < this.#values.length; index++) {
      const value = values[this.#values[index] as number] ?? '';
      if (index < this.#inPath && (value === '.' || value === '..')) return null;
      url += encodeURIComponent(value.toWellFormed()) + (this.#texts[index + 1] ?? '');
    }
    return url;
  }
}

/** The names in a template, each once. */
export function placeholdersOf(template: string): readonly string[] {
  return [...new Set([...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name))];
}

/** What is wrong with a template by itself, or null. */
export function urlProblem(template: string): string | null {
  const origin = ORIGIN.exec(template)?.[0];
  if (origin === undefined) return 'must begin with http:// or https://';
  if (/[{}]/.test(origin)) return 'cannot have placeholders in its host: they stand behind it';
  if (origin.includes('@')) return 'cannot hold a user and a password: they stand in `headers`, as Authorization';
  return URL.canParse(template.replace(PLACEHOLDER, 'x')) ? null : 'is no URL';
}
