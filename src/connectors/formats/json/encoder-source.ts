/**
 * Generates the loop that writes rows as JSON objects: as hot as the decoder's.
 *
 *     for each row:
 *       make room for everything but escapes (constants, the longest numbers, the strings as they are)
 *       for each field: `,"name":` as constant words, then the value
 *       the first byte becomes `{`; `}`
 *
 * Strings are copied four bytes at a time while none of the four needs an escape.
 */
import { code, CodeBuilder, columnKind, emptyCode } from '../../../core/index.ts';
import type { Code, Column, EncodedBlock, Field } from '../../../core/index.ts';
import { viewOf } from '../byte-view.ts';
import { MAX_DOUBLE_BYTES, MAX_INTEGER_BYTES, writeDecimal, writeDouble, writeInteger } from '../digit-writer.ts';
import { MAX_ISO_BYTES } from '../iso-writer.ts';
import type { EncodeState } from './encode-state.ts';

/** Encodes rows from `from` to `to`; returns the next row to do. `block` is up to date, also when it throws. */
export type GeneratedEncoder = (
  state: EncodeState,
  columns: readonly Column[],
  from: number,
  to: number,
  block: EncodedBlock,
  maxBytes: number,
) => number;

export interface EncoderShape {
  readonly epochMillis: boolean;
  readonly omitNulls: boolean;
}

/** Stores of constants may run this far past their end. */
const SLACK_BYTES = 16;
const MAX_DECIMAL_BYTES = 48;

interface FieldNames {
  readonly field: Field;
  readonly index: number;
  readonly column: Code;
  readonly values: Code;
  readonly wide: Code;
  readonly nulls: Code;
  readonly hasNulls: Code;
  readonly data: Code;
  readonly view: Code;
  readonly starts: Code;
  readonly ends: Code;
}

interface Names {
  readonly builder: CodeBuilder;
  readonly state: Code;
  readonly block: Code;
  readonly data: Code;
  readonly view: Code;
  /** Where the next byte goes. */
  readonly o: Code;
  readonly row: Code;
  /** The room that a whole row needs, escapes left out. */
  readonly need: Code;
}

export function generateEncoder(fields: readonly Field[], shape: EncoderShape): GeneratedEncoder {
  const builder = new CodeBuilder();
  const fresh = (): Code => builder.fresh();
  const n: Names = {
    builder, state: fresh(), block: fresh(), data: fresh(), view: fresh(), o: fresh(), row: fresh(), need: fresh(),
  };
  const [columns, from, to, maxBytes, count, capacity, start, gap] = Array.from({ length: 8 }, fresh) as [
    Code, Code, Code, Code, Code, Code, Code, Code,
  ];
  const names = fields.map((field, index) => fieldNames(builder, field, index));
  const fixed = names.reduce((sum, { field }) => sum + literalOf(field).length + fixedBytes(field), SLACK_BYTES + 2);
  const body = code`
    const ${capacity} = ${n.block}.capacity, ${gap} = ${n.block}.headroom;
    let ${n.data} = ${n.block}.data, ${n.view} = ${n.state}.view;
    let ${n.o} = ${n.block}.used, ${count} = ${n.block}.count, ${n.row} = ${from}, ${start} = ${n.o};
    ${names.map((field) => fieldLocals(n, field, columns))}
    try {
      for (; ${n.row} < ${to} && ${count} < ${capacity} && ${n.o} <= ${maxBytes}; ${n.row}++) {
        ${start} = ${n.o};
        let ${n.need} = ${gap} + ${fixed};
        ${names.map((field) => addLength(n, field))}
        if (${n.o} + ${n.need} > ${n.data}.length) {
          ${n.data} = ${n.state}.reserve(${n.block}, ${n.o}, ${n.need});
          ${n.view} = ${n.state}.view;
        }
        ${n.o} += ${gap};
        ${names.map((field) => fieldText(n, field, shape))}
        if (${n.o} === ${start} + ${gap}) ${n.o}++;
        ${n.data}[${start} + ${gap}] = 123;
        ${n.data}[${n.o}++] = 125;
        ${n.block}.starts[${count}] = ${start} + ${gap};
        ${n.block}.ends[${count}] = ${n.o};
        ${count}++;
      }
      ${start} = ${n.o};
    } catch (error) {
      throw ${n.state}.failure(${n.row}, error);
    } finally {
      ${n.block}.used = ${start};
      ${n.block}.count = ${count};
    }
    return ${n.row};`;
  return builder.build([n.state, columns, from, to, n.block, maxBytes], body);
}

function fieldNames(builder: CodeBuilder, field: Field, index: number): FieldNames {
  const fresh = (): Code => builder.fresh();
  return {
    field, index, column: fresh(), values: fresh(), wide: fresh(), nulls: fresh(), hasNulls: fresh(), data: fresh(),
    view: fresh(), starts: fresh(), ends: fresh(),
  };
}

const encoder = new TextEncoder();

/** Every field begins with a comma; the first one's becomes the brace. */
export function literalOf(field: Field): Uint8Array {
  const opens = opensQuote(field) ? '"' : '';
  return encoder.encode(`,${JSON.stringify(field.name)}:${opens}`);
}

/** Values that always stand in quotes: the opening one belongs to the literal, and is taken back for NULL. */
function opensQuote(field: Field): boolean {
  return ['string', 'bytes', 'date', 'time'].includes(field.type.kind);
}

function fixedBytes({ type }: Field): number {
  switch (type.kind) {
    case 'boolean':
      return 5;
    case 'int':
    case 'long':
      return MAX_INTEGER_BYTES;
    case 'decimal':
      return MAX_DECIMAL_BYTES;
    case 'float':
    case 'double':
      return MAX_DOUBLE_BYTES;
    case 'timestamp':
    case 'date':
    case 'time':
      return MAX_ISO_BYTES + 2;
    default:
      // Strings and what is written like them add their length per row; NULL needs four bytes.
      return 4;
  }
}

function fieldLocals({ state }: Names, names: FieldNames, columns: Code): Code {
  const { column, nulls, hasNulls, values, wide, data, view, starts, ends } = names;
  const head = code`
    const ${column} = ${columns}[${names.index}], ${nulls} = ${column}.nulls, ${hasNulls} = ${column}.hasNulls;`;
  const kind = columnKind(names.field.type);
  if (kind === 'bytes') {
    return code`${head}
      const ${data} = ${column}.data, ${view} = ${state}.viewOf(${data});
      const ${starts} = ${column}.starts, ${ends} = ${column}.ends;`;
  }
  const withWide = kind === 'long' || kind === 'decimal' ? code`const ${wide} = ${column}.wide;` : emptyCode;
  return code`${head} const ${values} = ${column}.values; ${withWide}`;
}

function addLength({ row, need }: Names, names: FieldNames): Code {
  const { field, hasNulls, nulls, starts, ends } = names;
  if (field.type.kind !== 'string' && field.type.kind !== 'json') return emptyCode;
  return code`
    if (!${hasNulls} || ${nulls}[${row}] === 0) ${need} += ${ends}[${row}] - ${starts}[${row}];`;
}

function fieldText(n: Names, names: FieldNames, shape: EncoderShape): Code {
  const { nulls, hasNulls, field } = names;
  const write = code`
    ${literal(n, literalOf(field))}
    ${valueText(n, names, shape)}`;
  const isNull = code`${hasNulls} && ${nulls}[${n.row}] === 1`;
  if (shape.omitNulls) return code`if (!(${isNull})) { ${write} }`;
  const nullText = encoder.encode(`,${JSON.stringify(field.name)}:null`);
  return code`if (${isNull}) { ${literal(n, nullText)} } else { ${write} }`;
}

/** Stores constant bytes, eight at a time, the last ones filled up with spaces. */
function literal({ view, o }: Names, bytes: Uint8Array): Code {
  const padded = new Uint8Array(Math.ceil(bytes.length / 8) * 8).fill(0x20);
  padded.set(bytes);
  const constants = viewOf(padded);
  const stores: Code[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const isShort = bytes.length - at <= 4;
    const double = constants.getFloat64(at, true);
    // A double whose bits are an ordinary number keeps them; NaNs may not.
    if (!isShort && Number.isFinite(double) && double !== 0) {
      stores.push(code`${view}.setFloat64(${o} + ${at}, ${double}, true);`);
      continue;
    }
    stores.push(code`${view}.setInt32(${o} + ${at}, ${constants.getInt32(at, true)}, true);`);
    if (!isShort) stores.push(code`${view}.setInt32(${o} + ${at + 4}, ${constants.getInt32(at + 4, true)}, true);`);
  }
  return code`${stores} ${o} += ${bytes.length};`;
}

function valueText(n: Names, names: FieldNames, shape: EncoderShape): Code {
  const { builder, state, data, view, o, row } = n;
  const { values, wide, field, index } = names;
  const { type } = field;
  switch (type.kind) {
    case 'boolean': {
      const [yes, no] = [literal(n, encoder.encode('true')), literal(n, encoder.encode('false'))];
      return code`if (${values}[${row}] === 1) { ${yes} } else { ${no} }`;
    }
    case 'int':
      return code`${o} = ${builder.constant(writeInteger)}(${data}, ${view}, ${o}, ${values}[${row}]);`;
    case 'long':
      return code`
        if (${wide} === null) ${o} = ${builder.constant(writeInteger)}(${data}, ${view}, ${o}, ${values}[${row}]);
        else ${o} = ${state}.wideLong(${data}, ${o}, ${wide}[${row}]);`;
    case 'decimal': {
      const write = builder.constant(writeDecimal);
      return code`
        if (${wide} === null) ${o} = ${write}(${data}, ${view}, ${o}, ${values}[${row}], ${type.scale});
        else ${o} = ${state}.wideDecimal(${data}, ${o}, ${wide}, ${row}, ${type.scale});`;
    }
    case 'float':
    case 'double': {
      const finite = code`if (!Number.isFinite(${values}[${row}])) ${state}.notFinite(${values}[${row}], ${index});`;
      return type.kind === 'float'
        ? code`${finite} ${o} = ${state}.float(${data}, ${o}, ${values}[${row}]);`
        : code`${finite} ${o} = ${builder.constant(writeDouble)}(${data}, ${view}, ${o}, ${values}[${row}]);`;
    }
    case 'timestamp':
      return shape.epochMillis
        ? code`${o} = ${builder.constant(writeInteger)}(${data}, ${view}, ${o}, ${values}[${row}]);`
        : code`
            ${data}[${o}] = 34;
            ${o} = ${state}.times.timestamp(${data}, ${view}, ${o} + 1, ${values}[${row}]);
            ${data}[${o}++] = 34;`;
    case 'date':
      return code`${o} = ${state}.date(${data}, ${o}, ${values}[${row}], ${index}); ${data}[${o}++] = 34;`;
    case 'time':
      return code`${o} = ${state}.times.time(${data}, ${o}, ${values}[${row}]); ${data}[${o}++] = 34;`;
    default:
      return bytesText(n, names);
  }
}

function bytesText(n: Names, names: FieldNames): Code {
  const { state, block, data, o, row, need } = n;
  const { field, index, starts, ends, column } = names;
  const reload = code`${data} = ${block}.data; ${n.view} = ${state}.view;`;
  const range = code`${names.data}, ${starts}[${row}], ${ends}[${row}]`;
  switch (field.type.kind) {
    case 'string':
      return code`${stringText(n, names, reload)} ${data}[${o}++] = 34;`;
    case 'json':
      return code`${o} = ${state}.raw(${data}, ${o}, ${range});`;
    case 'bytes':
      return code`
        ${o} = ${state}.base64(${block}, ${o}, ${range}, ${need});
        ${reload}
        ${data}[${o}++] = 34;`;
    default:
      return code`
        ${o} = ${state}.object(${block}, ${o}, ${column}, ${row}, ${index}, ${need});
        ${reload}`;
  }
}

function stringText(n: Names, names: FieldNames, reload: Code): Code {
  const { builder, state, block, view, o, row, need, data } = n;
  const [s, e, w] = [builder.fresh(), builder.fresh(), builder.fresh()];
  const escapes = code`((${w} - 0x20202020 & ~${w})
    | ((${w} ^ 0x22222222) - 0x01010101 & ~(${w} ^ 0x22222222))
    | ((${w} ^ 0x5c5c5c5c) - 0x01010101 & ~(${w} ^ 0x5c5c5c5c))) & 0x80808080`;
  return code`
    {
      let ${s} = ${names.starts}[${row}], ${w} = 0;
      const ${e} = ${names.ends}[${row}];
      while (${s} + 4 <= ${e}) {
        ${w} = ${names.view}.getInt32(${s}, true);
        if ((${escapes}) !== 0) break;
        ${view}.setInt32(${o}, ${w}, true);
        ${o} += 4;
        ${s} += 4;
      }
      if (${e} - ${s} < 4) {
        while (${s} < ${e} && (${w} = ${names.data}[${s}]) >= 32 && ${w} !== 34 && ${w} !== 92) {
          ${data}[${o}++] = ${w};
          ${s}++;
        }
      }
      if (${s} < ${e}) {
        ${o} = ${state}.escape(${block}, ${o}, ${names.data}, ${s}, ${e}, ${need});
        ${reload}
      }
    }`;
}
