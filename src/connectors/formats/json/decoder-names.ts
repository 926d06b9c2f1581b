/** The names that generated decoders use for their columns, and the code around them that they have in common. */
import { code, CodeBuilder, columnKind, emptyCode } from '../../../core/index.ts';
import type { Code, Field } from '../../../core/index.ts';

/** Bits of a `seen` word: small integers on every build of V8. */
const SEEN_BITS = 30;

/** The names that one generated decoder uses. */
export interface DecoderNames {
  readonly builder: CodeBuilder;
  readonly state: Code;
  readonly row: Code;
  readonly targets: readonly TargetNames[];
  /** Words with a bit per target: whether the record has a value for it. */
  readonly seenWords: readonly Code[];
}

export interface TargetNames {
  readonly field: Field;
  readonly index: number;
  readonly column: Code;
  readonly values: Code;
  /** longs and decimals: the wide array, or null. */
  readonly wide: Code;
  readonly starts: Code;
  readonly ends: Code;
  readonly nulls: Code;
  /** strings: whether the column still borrows the block. */
  readonly borrows: Code;
  readonly seen: Code;
  readonly bit: number;
}

export function decoderNames(targets: readonly Field[]): DecoderNames {
  const builder = new CodeBuilder();
  const seenWords = Array.from({ length: Math.max(1, Math.ceil(targets.length / SEEN_BITS)) }, () => builder.fresh());
  return {
    builder,
    state: builder.fresh(),
    row: builder.fresh(),
    targets: targets.map((field, index) => ({
      field,
      index,
      column: builder.fresh(),
      values: builder.fresh(),
      wide: builder.fresh(),
      starts: builder.fresh(),
      ends: builder.fresh(),
      nulls: builder.fresh(),
      borrows: builder.fresh(),
      seen: seenWords[Math.floor(index / SEEN_BITS)] as Code,
      bit: 2 ** (index % SEEN_BITS),
    })),
    seenWords,
  };
}

/** Locals for the arrays of the columns. */
export function columnLocals({ targets, state }: DecoderNames, columns: Code): readonly Code[] {
  return targets.map((target) => {
    const { column, values, wide, starts, ends, nulls, borrows } = target;
    const kind = columnKind(target.field.type);
    const head = code`const ${column} = ${columns}[${target.index}], ${nulls} = ${column}.nulls;`;
    if (kind === 'bytes') {
      return code`${head}
        const ${starts} = ${column}.starts, ${ends} = ${column}.ends;
        let ${borrows} = ${column}.data === ${state}.blockData;`;
    }
    const withValues = code`${head} const ${values} = ${column}.values;`;
    return kind === 'long' || kind === 'decimal' ? code`${withValues} let ${wide} = ${column}.wide;` : withValues;
  });
}

/** The value of a `seen` word whose targets all have a value. */
export function allSeen(names: DecoderNames, word: number): number {
  return targetsOf(names, word).reduce((mask, { bit }) => mask + bit, 0);
}

function targetsOf({ targets }: DecoderNames, word: number): readonly TargetNames[] {
  return targets.slice(word * SEEN_BITS, (word + 1) * SEEN_BITS);
}

/** NULL for targets whose bit is not set. `nulls` is zero from the row on (JsonDecoder sees to it). */
export function setNulls(names: DecoderNames): Code {
  return whereUnseen(names, ({ nulls, column }) => code`${nulls}[${names.row}] = 1; ${column}.hasNulls = true;`);
}

/** Takes back what setNulls() did to the row. */
export function clearNulls(names: DecoderNames): Code {
  return whereUnseen(names, ({ nulls }) => code`${nulls}[${names.row}] = 0;`);
}

function whereUnseen(names: DecoderNames, each: (target: TargetNames) => Code): Code {
  const words = names.seenWords.map((word, index) => {
    const targets = targetsOf(names, index);
    if (targets.length === 0) return emptyCode;
    return code`if (${word} !== ${allSeen(names, index)}) { ${targets.map(
      (target) => code`if ((${word} & ${target.bit}) === 0) { ${each(target)} }`,
    )} }`;
  });
  return code`${words}`;
}
