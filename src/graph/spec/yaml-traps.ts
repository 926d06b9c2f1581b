/**
 * Recognises values that YAML's own rules cut short, and where they were meant to end: in `{…}` a comma, a brace or a
 * bracket ends a value; ` #` starts a comment; `: ` makes a mapping; a value that begins with a quote ends at the next.
 */

/** Where a value in `{…}` or `[…]`, from `start`, was meant to end; null where brackets or quotes do not close. */
export function intendedFlowEnd(text: string, start: number, limit: number): number | null {
  return scan(text, start, Math.min(limit, text.length), true);
}

/** Whether the brackets and quotes of a piece of SQL or of a type close. */
export function isBalanced(piece: string): boolean {
  return scan(piece, 0, piece.length, false) !== null;
}

function scan(text: string, start: number, limit: number, stops: boolean): number | null {
  const anglesCount = /^(?:array|map|row|multiset)\s*</i.test(text.slice(start, start + 20));
  const open: string[] = [];
  let at = start;
  while (at < limit) {
    const char = text[at] as string;
    if (stops && open.length === 0 && endsFlowValue(text, at)) break;
    if (char === '\n' && stops && open.length === 0) break;
    if (char === "'" || char === '"') {
      const close = text.indexOf(char, at + 1);
      if (close < 0 || close >= limit || text.slice(at, close).includes('\n')) return null;
      at = close + 1;
      continue;
    }
    const opened = CLOSERS[char];
    if (opened !== undefined && (char !== '<' || anglesCount)) open.push(opened);
    else if (char === ')' || char === ']' || char === '}' || (char === '>' && anglesCount)) {
      if (open.pop() !== char) return null;
    }
    at++;
  }
  if (open.length > 0) return null;
  while (at > start && /\s/.test(text[at - 1] as string)) at--;
  return at;
}

const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' };

function endsFlowValue(text: string, at: number): boolean {
  const char = text[at];
  if (char === ',' || char === '}' || char === ']') return true;
  return char === '#' && /\s/.test(text[at - 1] ?? '');
}
