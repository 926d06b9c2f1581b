/** What has happened in a simulation, in order: a hash that tells two histories apart, and the lines if wanted. */
export class Trace {
  readonly lines: string[] | null;
  #count = 0;
  // FNV-1a, twice with different bases.
  #low = 0x811c9dc5;
  #high = 0x1000193;

  constructor(keepsLines: boolean) {
    this.lines = keepsLines ? [] : null;
  }

  get count(): number {
    return this.#count;
  }

  get hash(): string {
    return [this.#low, this.#high].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
  }

  add(atMs: number, line: string): void {
    const text = `${atMs.toFixed(3)} ${line}`;
    this.#count++;
    let low = this.#low;
    let high = this.#high;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul(high ^ (unit + index), 0x01000193);
    }
    this.#low = low;
    this.#high = high;
    this.lines?.push(text);
  }
}
