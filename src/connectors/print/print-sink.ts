import { defineOptions, RowKind } from '../../core/index.ts';
import type {
  ColumnBatch,
  EncodedBlock,
  OptionProblem,
  OptionValues,
  SinkConnector,
  SinkSpec,
  WriterContext,
} from '../../core/index.ts';
import { formatNamed } from '../formats/index.ts';
import type { LineDecoration } from '../lines/line-encoder.ts';
import { LineWriter } from '../lines/line-writer.ts';
import { printErrors } from './errors.ts';

const KIND_FIELD = 'rowKind';

const options = defineOptions({
  prefix: {
    kind: 'string',
    default: '',
    doc: 'Text in front of every line.',
    aliases: ['print-identifier'],
    scope: 'connector',
  },
  rowKind: {
    kind: 'boolean',
    default: false,
    doc: 'Adds what the row does to a changelog as the first field `rowKind`: `+I`, `-U`, `+U` or `-D`.',
    scope: 'connector',
  },
});

/** One JSON line per row on standard output. */
export const printSink: SinkConnector = Object.freeze({
  kind: 'sink',
  name: 'print',
  doc: 'Writes every row as a line of JSON to standard output.',
  options,
  formatUse: 'none',
  example: 'prefix: "result "',
  acceptedModes: () => ['append', 'upsert', 'retract'],
  check: checkPrint,
  prepare: () => Promise.resolve(),
  createWriter: (spec) => new PrintWriter(spec),
} satisfies SinkConnector);

function checkPrint(spec: SinkSpec): readonly OptionProblem[] {
  const problems = formatNamed({ name: 'json' }).check(spec.input, {}, 'encode');
  const clashes = spec.options['rowKind'] === true && spec.input.fields.some(({ name }) => name === KIND_FIELD);
  if (!clashes) return problems;
  const message = `the rows have a field \`${KIND_FIELD}\` of their own`;
  return [...problems, { path: ['rowKind'], what: 'invalid', message, suggestion: null }];
}

const CHUNK_BYTES = 64 * 1024;

class PrintWriter extends LineWriter {
  constructor(spec: SinkSpec) {
    super({ ...spec, format: null }, formatNamed({ name: 'json' }));
  }

  open(context: WriterContext): Promise<void> {
    const { prefix, rowKind } = this.spec.options as OptionValues<typeof options>;
    const decoration = prefix === '' && !rowKind ? null : new PrintDecoration(prefix, rowKind);
    const send = async (bytes: Uint8Array): Promise<void> => {
      try {
        await context.ports.streams.writeOutput(bytes);
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        throw printErrors.create('MR-PRINT-OUTPUT', { problem }, error);
      }
    };
    this.begin(context, CHUNK_BYTES, send, decoration);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const KIND_TEXTS: Readonly<Record<RowKind, string>> = {
  [RowKind.insert]: '+I',
  [RowKind.updateBefore]: '-U',
  [RowKind.updateAfter]: '+U',
  [RowKind.delete]: '-D',
};

class PrintDecoration implements LineDecoration {
  readonly maxBytes: number;
  readonly #prefix: Uint8Array;
  /** By row kind, `{"rowKind":"+I"`; null where kinds are not printed. */
  readonly #kinds: readonly Uint8Array[] | null;

  constructor(prefix: string, rowKind: boolean) {
    const encoder = new TextEncoder();
    this.#prefix = encoder.encode(prefix);
    this.#kinds = rowKind
      ? Object.values(KIND_TEXTS).map((kind) => encoder.encode(`{"${KIND_FIELD}":"${kind}"`))
      : null;
    this.maxBytes = this.#prefix.length + (this.#kinds?.[0]?.length ?? 0);
  }

  write(batch: ColumnBatch, row: number, block: EncodedBlock, index: number, target: Uint8Array, at: number): number {
    const start = block.starts[index] as number;
    const end = block.ends[index] as number;
    target.set(this.#prefix, at);
    let o = at + this.#prefix.length;
    let p = start;
    if (this.#kinds !== null) {
      const kind = this.#kinds[batch.rowKinds?.[row] ?? RowKind.insert] as Uint8Array;
      target.set(kind, o);
      o += kind.length;
      // The record's own brace becomes the comma, unless it has no fields.
      if (end - start > 2) target[o++] = 0x2c;
      p++;
    }
    for (; p < end; p++) target[o++] = block.data[p] as number;
    return o - at;
  }
}
