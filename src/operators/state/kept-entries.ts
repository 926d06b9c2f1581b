import { ByteWriter } from './byte-writer.ts';
import { grown } from './grown.ts';

/** Encoded entries, each with its key group, in the order of their coming. */
export class KeptEntries {
  readonly bytes = new ByteWriter();
  /** Where entry i begins; it ends where the next one begins. */
  starts = new Int32Array(0);
  groups = new Int32Array(0);
  count = 0;

  /** What was written to `bytes` since the last entry ended is one. */
  add(start: number, group: number): void {
    this.starts = grown(this.starts, this.count + 2);
    this.groups = grown(this.groups, this.count + 1);
    this.starts[this.count] = start;
    this.groups[this.count++] = group;
    this.starts[this.count] = this.bytes.length;
  }

  clear(): void {
    this.bytes.truncate(0);
    this.count = 0;
  }
}
