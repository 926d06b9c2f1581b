/** How records follow each other in a stream of bytes. One object per stream: it remembers where it is. */
export interface RecordFraming {
  /**
   * The line feed that ends the present record, or -1 where it is not in bytes[from .. to). `from` is where the search
   * has come to: no byte is looked at twice.
   */
  findEnd(bytes: Uint8Array, view: DataView, from: number, to: number): number;
}

const LINE_FEED = 0x0a;

export class LineFraming implements RecordFraming {
  findEnd(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let p = from;
    // Four at a time: the high bit of a byte is set where it is a line feed (and above the first such one).
    for (; p <= to - 4; p += 4) {
      const word = view.getInt32(p, true) ^ 0x0a0a0a0a;
      const found = (word - 0x01010101) & ~word & 0x80808080;
      if (found !== 0) return p + ((31 - Math.clz32(found & -found)) >> 3);
    }
    for (; p < to; p++) if (bytes[p] === LINE_FEED) return p;
    return -1;
  }
}

/** Where a scan over CSV is. */
const FIELD_START = 0;
const UNQUOTED = 1;
const QUOTED = 2;
/** Behind a quote inside quotes: the end of the field, or the first of two that stand for one. */
const QUOTE_SEEN = 3;

/** RFC 4180: a line feed inside quotes does not end the record. Quotes inside an unquoted field mean nothing. */
export class CsvFraming implements RecordFraming {
  readonly #delimiter: number;
  readonly #quote: number;
  #state = FIELD_START;

  constructor(dialect: { readonly delimiter: number; readonly quote: number }) {
    this.#delimiter = dialect.delimiter;
    this.#quote = dialect.quote;
  }

  findEnd(bytes: Uint8Array, _view: DataView, from: number, to: number): number {
    let state = this.#state;
    for (let p = from; p < to; p++) {
      const c = bytes[p] as number;
      if (state === QUOTED) {
        if (c === this.#quote) state = QUOTE_SEEN;
      } else if (c === LINE_FEED) {
        this.#state = FIELD_START;
        return p;
      } else if (c === this.#delimiter) state = FIELD_START;
      else if (c === this.#quote && state !== UNQUOTED) state = QUOTED;
      else state = UNQUOTED;
    }
    this.#state = state;
    return -1;
  }
}
