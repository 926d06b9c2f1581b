import { grown } from './grown.ts';

/** Items in the order of their key groups. */
export class GroupOrder {
  #groups = new Int32Array(0);
  #starts = new Int32Array(0);
  items = new Int32Array(0);
  count = 0;
  at = 0;

  get isDone(): boolean {
    return this.at >= this.count;
  }

  /** Sorts `count` items, each with its key group, by counting. */
  sort(items: Int32Array, groups: Int32Array, count: number, groupCount: number): void {
    this.items = grown(this.items, count);
    this.#groups = grown(this.#groups, count);
    this.#starts = grown(this.#starts, groupCount + 1);
    const starts = this.#starts.fill(0, 0, groupCount + 1);
    for (let i = 0; i < count; i++) {
      const next = (groups[i] as number) + 1;
      starts[next] = (starts[next] as number) + 1;
    }
    for (let group = 0; group < groupCount; group++) {
      starts[group + 1] = (starts[group + 1] as number) + (starts[group] as number);
    }
    for (let i = 0; i < count; i++) {
      const group = groups[i] as number;
      const place = starts[group] as number;
      starts[group] = place + 1;
      this.items[place] = items[i] as number;
      this.#groups[place] = group;
    }
    this.count = count;
    this.at = 0;
  }

  groupAt(place: number): number {
    return this.#groups[place] as number;
  }
}
