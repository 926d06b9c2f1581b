/** A stretch of a file, in UTF-16 units from its start. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** One-based, columns in UTF-16 units, as editors count. `endColumn` is on the same line, behind the last character. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
}

/** A file's text with its line starts. */
export class SourceText {
  readonly text: string;
  readonly #lineStarts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
  }

  place(range: TextRange): TextPlace {
    const start = Math.max(0, Math.min(range.start, this.text.length));
    const index = this.lineIndex(start);
    const lineStart = this.#lineStarts[index] ?? 0;
    const end = Math.max(start, Math.min(range.end, this.lineEnd(start)));
    // A byte order mark is no column.
    const skipped = index === 0 && this.text.charCodeAt(0) === 0xfeff ? 1 : 0;
    const column = Math.max(1, start - lineStart + 1 - skipped);
    return { line: index + 1, column, endColumn: Math.max(column, end - lineStart + 1 - skipped) };
  }

  /** The index of the line that holds an offset. */
  lineIndex(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  lineStart(offset: number): number {
    return this.#lineStarts[this.lineIndex(offset)] ?? 0;
  }

  /** Where the text of the line that holds `offset` ends, without its line break. */
  lineEnd(offset: number): number {
    const next = this.#lineStarts[this.lineIndex(offset) + 1];
    let end = next === undefined ? this.text.length : next - 1;
    if (end > 0 && this.text[end - 1] === '\r' && next !== undefined) end--;
    return Math.max(end, 0);
  }
}
