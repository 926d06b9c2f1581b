/** String functions on the bytes of their arguments. What is text already (the interpreter's results) stays so. */
import { code, joinCode } from '../../../core/index.ts';
import type { Code } from '../../../core/index.ts';
import { codePointLength } from '../../registry/code-points.ts';
import { MAX_TEXT_LENGTH } from '../../registry/text-limits.ts';
import { emitInterpreted } from '../call-site.ts';
import type { CallEmitter, CallSite } from '../call-site.ts';
import { merge } from '../merge.ts';
import { operand, valueOf } from '../operand.ts';
import type { Operand, Slice } from '../operand.ts';
import { codePointCount, endsWith, indexOfBytes, startsWith } from '../runtime/bytes.ts';
import {
  blanksEnd,
  blanksStart,
  copySlice,
  countedEnd,
  lastStart,
  lowerSlice,
  positionOf,
  splitEnd,
  splitStart,
  substringStart,
  upperSlice,
} from '../runtime/strings.ts';
import { emitSplitIndexOfLiterals } from './split-index.ts';

function arg(site: CallSite, index: number): Operand {
  return site.args[index] as Operand;
}

/** Bytes do not exist yet, and are not needed. */
function isText(of: Operand): boolean {
  return of.slice === null;
}

function parts({ data, start, end }: Slice): Code {
  return code`${data}, ${start}, ${end}`;
}

const changedCase = (bytes: typeof upperSlice, method: Code) => (site: CallSite) => {
  const { emitter, types } = site;
  const text = arg(site, 0);
  if (isText(text)) return operand({ type: types.result, value: emitter.bind(code`${valueOf(text)}.${method}()`) });
  const scratch = emitter.scratch();
  const start = emitter.bind(code`${emitter.builder.constant(bytes)}(${scratch}, ${parts(emitter.slice(text))})`);
  const slice = { data: emitter.bind(code`${scratch}.data`), start, end: emitter.bind(code`${scratch}.used`) };
  return operand({ type: types.result, slice });
};

const charLength = (site: CallSite) => {
  const { emitter, types } = site;
  const text = arg(site, 0);
  const { builder } = emitter;
  const value = isText(text)
    ? code`${builder.constant(codePointLength)}(${valueOf(text)})`
    : code`${builder.constant(codePointCount)}(${parts(emitter.slice(text))})`;
  return operand({ type: types.result, value: emitter.bind(value) });
};

const octetLength = (site: CallSite) => {
  const { start, end } = site.emitter.slice(arg(site, 0));
  return operand({ type: site.types.result, value: site.emitter.bind(code`${end} - ${start}`) });
};

const substring = (site: CallSite) => {
  const { emitter, types } = site;
  const { data, start, end } = emitter.slice(arg(site, 0));
  const first = emitter.bind(
    code`${emitter.builder.constant(substringStart)}(${data}, ${start}, ${end}, ${valueOf(arg(site, 1))})`,
  );
  if (site.args.length < 3) return operand({ type: types.result, slice: { data, start: first, end } });
  const counted = emitter.builder.constant(countedEnd);
  const last = emitter.bind(code`${counted}(${data}, ${first}, ${end}, ${valueOf(arg(site, 2))})`);
  return operand({ type: types.result, slice: { data, start: first, end: last } });
};

const left = (site: CallSite) => {
  const { emitter, types } = site;
  const { data, start, end } = emitter.slice(arg(site, 0));
  const counted = emitter.builder.constant(countedEnd);
  const last = emitter.bind(code`${counted}(${data}, ${start}, ${end}, ${valueOf(arg(site, 1))})`);
  return operand({ type: types.result, slice: { data, start, end: last } });
};

const right = (site: CallSite) => {
  const { emitter, types } = site;
  const { data, start, end } = emitter.slice(arg(site, 0));
  const counted = emitter.builder.constant(lastStart);
  const first = emitter.bind(code`${counted}(${data}, ${start}, ${end}, ${valueOf(arg(site, 1))})`);
  return operand({ type: types.result, slice: { data, start: first, end } });
};

/** Of blanks; other characters are the interpreter's. */
const trimmed = (atStart: boolean, atEnd: boolean) => (site: CallSite) => {
  const { emitter, types } = site;
  const { data, start, end } = emitter.slice(arg(site, 0));
  const { builder } = emitter;
  const first = atStart ? emitter.bind(code`${builder.constant(blanksEnd)}(${data}, ${start}, ${end})`) : start;
  const last = atEnd ? emitter.bind(code`${builder.constant(blanksStart)}(${data}, ${first}, ${end})`) : end;
  return operand({ type: types.result, slice: { data, start: first, end: last } });
};

const splitIndex = (site: CallSite) => {
  const known = emitSplitIndexOfLiterals(site);
  if (known !== null) return known;
  const { emitter, types } = site;
  const { data, start, end } = emitter.slice(arg(site, 0));
  const separator = parts(emitter.slice(arg(site, 1)));
  const { builder } = emitter;
  const first = emitter.bind(
    code`${builder.constant(splitStart)}(${data}, ${start}, ${end}, ${separator}, ${valueOf(arg(site, 2))})`,
  );
  const last = emitter.bind(code`${builder.constant(splitEnd)}(${data}, ${first}, ${end}, ${separator})`);
  return operand({
    type: types.result,
    isNull: emitter.bind(code`${first} < 0`),
    slice: { data, start: first, end: last },
  });
};

/** A test of one text against a part of it. */
const partTest = (test: typeof startsWith) => (site: CallSite) => {
  const { emitter, types } = site;
  const [text, part] = [parts(emitter.slice(arg(site, 0))), parts(emitter.slice(arg(site, 1)))];
  return operand({
    type: types.result,
    value: emitter.bind(code`${emitter.builder.constant(test)}(${text}, ${part})`),
  });
};

const contains = (site: CallSite) => {
  const { emitter, types } = site;
  const [text, part] = [parts(emitter.slice(arg(site, 0))), parts(emitter.slice(arg(site, 1)))];
  const found = code`${emitter.builder.constant(indexOfBytes)}(${text}, ${part}) >= 0`;
  return operand({ type: types.result, value: emitter.bind(found) });
};

const position = (textIndex: number, partIndex: number) => (site: CallSite) => {
  const { emitter, types } = site;
  const [text, part] = [parts(emitter.slice(arg(site, textIndex))), parts(emitter.slice(arg(site, partIndex)))];
  const value = emitter.bind(code`${emitter.builder.constant(positionOf)}(${text}, ${part})`);
  return operand({ type: types.result, value });
};

/** Into the scratch. Above a size that may be too large, the interpreter's function does it. */
const concatenated = (site: CallSite): Operand | null => {
  const { emitter, types } = site;
  if (site.args.length === 0 || site.args.every((text) => isText(text) || text.constant !== null)) return null;
  const slices = site.args.map((text) => emitter.slice(text));
  const size = emitter.bind(
    joinCode(
      slices.map(({ start, end }) => code`${end} - ${start}`),
      ' + ',
    ),
  );
  const small = emitter.nested(() => {
    const scratch = emitter.scratch();
    const start = emitter.bind(code`${scratch}.reserve(${size})`);
    const data = emitter.bind(code`${scratch}.data`);
    const copy = emitter.builder.constant(copySlice);
    let end = start;
    for (const slice of slices) end = emitter.bind(code`${copy}(${data}, ${end}, ${parts(slice)})`);
    return operand({ type: types.result, slice: { data, start, end } });
  });
  const large = emitter.nested(() => {
    const result = emitInterpreted(site);
    return operand({ type: types.result, slice: emitter.slice(result) });
  });
  const merged = merge(
    emitter,
    types.result,
    [
      { block: small.block, operand: small.result },
      { block: large.block, operand: large.result },
    ],
    false,
  );
  emitter.line(code`${merged.declarations}
if (${size} <= ${MAX_TEXT_LENGTH}) {\n${small.block.toCode()}\n} else {\n${large.block.toCode()}\n}`);
  return merged.result;
};

const partial = (emit: (site: CallSite) => Operand | null): CallEmitter => ({ emit, total: false });

export const stringEmitters: readonly [string, CallEmitter][] = [
  ['upper(string)', partial(changedCase(upperSlice, code`toUpperCase`))],
  ['lower(string)', partial(changedCase(lowerSlice, code`toLowerCase`))],
  ['char_length(string)', partial(charLength)],
  ['octet_length(string)', partial(octetLength)],
  ['octet_length(bytes)', partial(octetLength)],
  ['substring(string,int)', partial(substring)],
  ['substring(string,int,int)', partial(substring)],
  ['left(string,int)', partial(left)],
  ['right(string,int)', partial(right)],
  ['btrim(string)', partial(trimmed(true, true))],
  ['ltrim(string)', partial(trimmed(true, false))],
  ['rtrim(string)', partial(trimmed(false, true))],
  ['split_index(string,string,int)', partial(splitIndex)],
  ['starts_with(string,string)', partial(partTest(startsWith))],
  ['starts_with(bytes,bytes)', partial(partTest(startsWith))],
  ['ends_with(string,string)', partial(partTest(endsWith))],
  ['ends_with(bytes,bytes)', partial(partTest(endsWith))],
  ['contains(string,string)', partial(contains)],
  ['position(string,string)', partial(position(1, 0))],
  ['locate(string,string)', partial(position(1, 0))],
  ['instr(string,string)', partial(position(0, 1))],
  ['concat_op(string,string)', partial(concatenated)],
  ['concat(string...)', partial(concatenated)],
];
