/**
 * A small assembler for WebAssembly, for the loops that want 16 bytes at once or 64-bit integers: code is a tree of
 * instructions, and this file makes the bytes of a module with one function of it. Encodings are those of the
 * WebAssembly core specification 2.0, chapter 5.
 */

/** Instructions in order: opcodes and immediates as bytes, and what needs to know how deep it is nested. */
export type WasmCode = number | WasmBranch | WasmBlock | readonly WasmCode[];

/** The target of branches; an identity. */
export interface WasmLabel {
  readonly label: true;
}

interface WasmBranch {
  readonly opcode: number;
  readonly target: WasmLabel;
}

interface WasmBlock {
  readonly opcode: number;
  readonly label: WasmLabel;
  readonly body: WasmCode;
  readonly otherwise: WasmCode | null;
}

export const wasmType = Object.freeze({ i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b });
export type WasmType = (typeof wasmType)[keyof typeof wasmType];

export interface WasmImport {
  readonly name: string;
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
}

const Section = Object.freeze({ type: 1, import: 2, function: 3, export: 7, code: 10 });
const NO_RESULT = 0x40;
const END = 0x0b;
const ELSE = 0x05;
const SIMD_PREFIX = 0xfd;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const byte = Number(rest & 127n);
    rest >>= 7n;
    const isLast = (rest === 0n && byte < 64) || (rest === -1n && byte >= 64);
    bytes.push(isLast ? byte : byte | 128);
    if (isLast) return bytes;
  }
}

function doubleBytes(value: number): number[] {
  return [...new Uint8Array(Float64Array.of(value).buffer)];
}

type Binary = (a: WasmCode, b: WasmCode) => WasmCode;
type Unary = (a: WasmCode) => WasmCode;
type Load = (address: WasmCode, offset?: number) => WasmCode;
type Store = (address: WasmCode, value: WasmCode, offset?: number) => WasmCode;

const binary = (...opcode: number[]): Binary => (a, b) => [a, b, opcode];
const unary = (...opcode: number[]): Unary => (a) => [a, opcode];
const simd = (opcode: number): number[] => [SIMD_PREFIX, ...unsigned(opcode)];
/** Alignment is a hint, and our data has none. */
const load = (...opcode: number[]): Load => (address, offset = 0) => [address, opcode, 0, unsigned(offset)];
const store = (...opcode: number[]): Store => (address, value, offset = 0) => [
  address, value, opcode, 0, unsigned(offset),
];

export const i32 = Object.freeze({
  const: (value: number): WasmCode => [0x41, signed(BigInt(value | 0))],
  load: load(0x28), load8: load(0x2d), store: store(0x36), store8: store(0x3a),
  eqz: unary(0x45), eq: binary(0x46), ne: binary(0x47), ltS: binary(0x48), ltU: binary(0x49), gtS: binary(0x4a),
  gtU: binary(0x4b), leU: binary(0x4d), geS: binary(0x4e),
  ctz: unary(0x68), add: binary(0x6a), sub: binary(0x6b), mul: binary(0x6c),
  and: binary(0x71), or: binary(0x72), xor: binary(0x73), shl: binary(0x74), shrU: binary(0x76),
  /** The low half of an i64. */
  wrap: unary(0xa7),
});

export const i64 = Object.freeze({
  const: (value: bigint): WasmCode => [0x42, signed(BigInt.asIntN(64, value))],
  load: load(0x29), store: store(0x37), eqz: unary(0x50), ne: binary(0x52), gtU: binary(0x56),
  clz: unary(0x79), ctz: unary(0x7a), add: binary(0x7c), sub: binary(0x7d), mul: binary(0x7e), divU: binary(0x80),
  and: binary(0x83), or: binary(0x84), xor: binary(0x85), shl: binary(0x86), shrU: binary(0x88),
  /** Of an i32 without a sign. */
  extend: unary(0xad),
  /** Of a double that is in range: others trap. */
  truncate: unary(0xb0),
});

export const f64 = Object.freeze({
  const: (value: number): WasmCode => [0x44, doubleBytes(value)],
  load: load(0x2b), store: store(0x39), eq: binary(0x61), lt: binary(0x63), le: binary(0x65), ge: binary(0x66),
  abs: unary(0x99), neg: unary(0x9a), nearest: unary(0x9e), add: binary(0xa0), sub: binary(0xa1), mul: binary(0xa2),
  div: binary(0xa3), fromI32: unary(0xb7), fromI64: unary(0xb9),
  /** To the nearest 32-bit float and back. */
  round32: (a: WasmCode): WasmCode => [a, 0xb6, 0xbb],
});

export const v128 = Object.freeze({
  load: load(...simd(0)), store: store(...simd(11)),
  splat8: (byte: number): WasmCode => [simd(12), new Array<number>(16).fill(byte)],
  eq8: binary(...simd(35)), ltS8: binary(...simd(37)), ltU8: binary(...simd(38)), or: binary(...simd(80)),
  allTrue8: unary(...simd(99)), bitmask8: unary(...simd(100)),
});

export const get = (local: number): WasmCode => [0x20, unsigned(local)];
export const set = (local: number, value: WasmCode): WasmCode => [value, 0x21, unsigned(local)];
export const call = (index: number, ...args: WasmCode[]): WasmCode => [args, 0x10, unsigned(index)];
/** Both values are computed. */
export const select = (condition: WasmCode, a: WasmCode, b: WasmCode): WasmCode => [a, b, condition, 0x1b];

export const newLabel = (): WasmLabel => ({ label: true });
/** A branch to the label goes behind it. */
export const block = (label: WasmLabel, ...body: WasmCode[]): WasmCode => {
  return { opcode: 0x02, label, body, otherwise: null };
};
/** A branch to the label goes to its start; without one it is left at its end. */
export const loop = (label: WasmLabel, ...body: WasmCode[]): WasmCode => {
  return { opcode: 0x03, label, body, otherwise: null };
};
export const when = (condition: WasmCode, body: WasmCode, otherwise: WasmCode | null = null): WasmCode => [
  condition, { opcode: 0x04, label: newLabel(), body, otherwise },
];
export const branch = (target: WasmLabel): WasmCode => ({ opcode: 0x0c, target });
export const branchIf = (target: WasmLabel, condition: WasmCode): WasmCode => [condition, { opcode: 0x0d, target }];

function assemble(node: WasmCode, labels: readonly WasmLabel[], out: number[]): void {
  if (typeof node === 'number') out.push(node);
  else if ('target' in node) {
    const depth = labels.indexOf(node.target);
    if (depth < 0) throw new RangeError('a branch out of the blocks around it');
    out.push(node.opcode, ...unsigned(depth));
  } else if ('label' in node) {
    out.push(node.opcode, NO_RESULT);
    const inside = [node.label, ...labels];
    assemble(node.body, inside, out);
    if (node.otherwise !== null) {
      out.push(ELSE);
      assemble(node.otherwise, inside, out);
    }
    out.push(END);
  } else for (const part of node) assemble(part, labels, out);
}

/** The locals of a function behind its parameters. */
export class WasmLocals {
  readonly types: WasmType[] = [];
  readonly #first: number;

  constructor(paramCount: number) {
    this.#first = paramCount;
  }

  fresh(type: WasmType): number {
    this.types.push(type);
    return this.#first + this.types.length - 1;
  }
}

const vector = (parts: readonly (readonly number[])[]): number[] => [...unsigned(parts.length), ...parts.flat()];
const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
};
const signature = (params: readonly WasmType[], results: readonly WasmType[]): number[] => [
  0x60, ...vector(params.map((type) => [type])), ...vector(results.map((type) => [type])),
];

/** A module that imports `env.memory` and functions of `env`, and exports one function `run`. */
export function wasmModule(
  imports: readonly WasmImport[],
  run: { readonly params: readonly WasmType[]; readonly locals: WasmLocals; readonly body: WasmCode },
): Uint8Array<ArrayBuffer> {
  const body: number[] = [];
  assemble(run.body, [], body);
  const code = [...vector(run.locals.types.map((type) => [1, type])), ...body, END];
  const types = [...imports.map(({ params, results }) => signature(params, results))];
  types.push(signature(run.params, [wasmType.i32]));
  const imported = imports.map(({ name }, index) => [...text('env'), ...text(name), 0x00, ...unsigned(index)]);
  imported.push([...text('env'), ...text('memory'), 0x02, 0x00, 0x01]);
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    ...section(Section.type, vector(types)),
    ...section(Section.import, vector(imported)),
    ...section(Section.function, vector([unsigned(imports.length)])),
    ...section(Section.export, vector([[...text('run'), 0x00, ...unsigned(imports.length)]])),
    ...section(Section.code, vector([[...unsigned(code.length), ...code]])),
  ]);
}
