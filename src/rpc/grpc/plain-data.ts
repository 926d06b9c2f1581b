/**
 * Bodies of calls and answers: structured clones in Node's serialisation format, so that a message means the same
 * between processes as it does between threads and within one: Infinity, bigint, Map and typed arrays included. The
 * format carries its version, and later versions of Node read it. Not for bytes of strangers.
 */
import { DefaultDeserializer, DefaultSerializer } from 'node:v8';

/** Throws DataCloneError for what is not plain data. */
export function encodePlainData(value: unknown): Uint8Array {
  const serializer = new DefaultSerializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}

/** Throws for bytes that are nothing of the kind. The result shares no memory with them. */
export function decodePlainData(bytes: Uint8Array): unknown {
  const deserializer = new OwningDeserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

class OwningDeserializer extends DefaultDeserializer {
  /** The base class makes typed arrays that look into the message: one of ten bytes would keep megabytes alive. */
  _readHostObject(): unknown {
    const view = (DefaultDeserializer.prototype as unknown as { _readHostObject(this: unknown): ArrayBufferView })
      ._readHostObject.call(this);
    if (view instanceof DataView) return new DataView(copyOf(view));
    if (Buffer.isBuffer(view)) return new Uint8Array(copyOf(view));
    return (view as Uint8Array).slice();
  }
}

function copyOf(view: ArrayBufferView): ArrayBuffer {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer as ArrayBuffer;
}
