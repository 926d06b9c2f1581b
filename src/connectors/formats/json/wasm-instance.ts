/** Memory and functions of WebAssembly. Node has them, but the types of Node do not. */
declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** It never grows, so that its buffer stays the same. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

type WasmFunction = (...args: number[]) => number;

const PAGE_BYTES = 65_536;

export function wasmMemory(sizeBytes: number): WasmMemory {
  return new WebAssembly.Memory({ initial: Math.ceil(sizeBytes / PAGE_BYTES) });
}

/** The function of a module that wasmModule() made. */
export function wasmFunction(
  module: Uint8Array<ArrayBuffer>,
  memory: WasmMemory,
  functions: Readonly<Record<string, WasmFunction>>,
): WasmFunction {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory, ...functions } });
  return instance.exports['run'] as WasmFunction;
}
