import { ColumnBatch, RecordBlock, rowsOf } from '../../core/index.ts';
import type { LookupRow, LookupSpec, RecordDecoder } from '../../core/index.ts';
import { formatNamed } from '../formats/index.ts';
import { noMetadata } from '../lines/stream-format.ts';
import { recordsOf } from '../lookup-records.ts';
import { parseExactly } from './exact-json.ts';

const OPENING_BRACE = 0x7b;
const TEXT = new TextEncoder();

/** Rows from answers in JSON. Fields are read as those of JSON records are; numbers keep all their digits. */
export class JsonAnswer {
  readonly #pointer: readonly string[];
  readonly #decoder: RecordDecoder;
  readonly #block = new RecordBlock(1);
  readonly #records = new Int32Array(1);
  readonly #batch: ColumnBatch;

  constructor(spec: LookupSpec, pointer: string) {
    this.#pointer = pointer === '' ? [] : pointer.slice(1).split('/').map(unescapePart);
    this.#decoder = formatNamed({ name: 'json' }).createDecoder(recordsOf(spec, spec.schema), noMetadata);
    this.#batch = new ColumnBatch(spec.schema, 1);
  }

  /** The rows of an answer to one key. Throws where it is none. */
  readOne(bytes: Uint8Array): readonly LookupRow[] {
    if (bytes.length === 0) return [];
    if (this.#pointer.length === 0 && bytes[0] === OPENING_BRACE) return [this.#row(bytes)];
    return this.#rowsIn(parseExactly(bytes));
  }

  /** The rows per key of an answer to several. */
  readSeveral(bytes: Uint8Array, keyCount: number): readonly (readonly LookupRow[])[] {
    const answers = parseExactly(bytes);
    if (!Array.isArray(answers)) throw new SyntaxError('it is no list');
    if (answers.length === keyCount) return answers.map((answer) => this.#rowsIn(answer));
    throw new SyntaxError(`it is a list of ${answers.length} for ${keyCount} keys`);
  }

  #rowsIn(answer: unknown): readonly LookupRow[] {
    let found = answer;
    for (const part of this.#pointer) {
      const isThere = typeof found === 'object' && found !== null && Object.hasOwn(found, part);
      found = isThere ? (found as Readonly<Record<string, unknown>>)[part] : null;
    }
    if (found === null) return [];
    return (Array.isArray(found) ? found : [found]).map((row) => this.#row(TEXT.encode(JSON.stringify(row))));
  }

  #row(bytes: Uint8Array): LookupRow {
    const block = this.#block;
    block.data = bytes;
    block.count = 1;
    block.valueStarts[0] = 0;
    block.valueEnds[0] = bytes.length;
    this.#batch.reset();
    this.#decoder.decode(block, 0, this.#batch, this.#records);
    const { failure } = this.#decoder;
    if (failure !== null) throw failure.error;
    return rowsOf(this.#batch)[0] ?? [];
  }
}

function unescapePart(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
