/** Keys of the fenced store: `/`-separated names, which may hold anything else. */

const PLAIN = /[A-Za-z0-9_.-]/;

/** Throws where it is not a key: that is a mistake of ours. */
export function checkKey(key: string): void {
  if (key.split('/').includes('')) throw new Error(`not a key of the store: ${JSON.stringify(key)}`);
}

export function isBelow(key: string, above: string): boolean {
  return key.startsWith(`${above}/`);
}

/** The names directly below a key, of all keys that there are. */
export function namesBelow(keys: Iterable<string>, above: string): readonly string[] {
  const names = new Set<string>();
  for (const key of keys) {
    if (isBelow(key, above)) names.add(key.slice(above.length + 1).split('/', 1)[0] as string);
  }
  return [...names];
}

/** Any text as one name of a key: no two texts share one, and none is empty or holds a `/`. */
export function keyPart(text: string): string {
  return text === '' ? '~' : escaped(text, PLAIN);
}

/** Undoes keyPart. */
export function textOfKeyPart(part: string): string {
  return part === '~' ? '' : unescaped(part);
}

/** The characters that `plain` does not match as `~` and the four hexadecimal digits of their UTF-16 unit. */
export function escaped(text: string, plain: RegExp): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charAt(i);
    result += plain.test(unit) ? unit : `~${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }
  return result;
}

export function unescaped(text: string): string {
  return text.replace(/~([0-9a-f]{4})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
