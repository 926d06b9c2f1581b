import { callSite } from './call-site.ts';
import type { Schema } from './field-types.ts';
import { GroupedStream } from './grouped-stream.ts';
import type { DedupeSettings } from './settings.ts';
import type { Stream } from './stream.ts';

/** Rows that are told apart by their key. */
export class KeyedStream<S extends Schema, Key extends keyof S> extends GroupedStream<S, Key> {
  /** Keeps one row per key: the first, or always the last. */
  dedupe(id: string, { parallelism, ...rest }: DedupeSettings = {}): Stream<S> {
    const { builder, name: from, open } = this.handle;
    const settings = { dedupe: { key: this.keys, ...rest } };
    builder.add({ id, from, settings, common: { parallelism }, site: callSite() });
    return open(id);
  }
}
