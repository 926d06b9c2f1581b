import { callSite } from './call-site.ts';
import type { Aggregated, Expressions } from './expressions.ts';
import type { Schema } from './field-types.ts';
import type { StreamHandle } from './grouped-stream.ts';
import type { StepSettings, WindowSettings } from './settings.ts';
import type { Stream } from './stream.ts';

/** Rows in windows. */
export class WindowedStream<S extends Schema, Key extends keyof S, Late extends string> {
  readonly #handle: StreamHandle;
  readonly #key: readonly string[] | undefined;
  readonly #window: WindowSettings<Late>;

  constructor(handle: StreamHandle, key: readonly string[] | undefined, window: WindowSettings<Late>) {
    this.#handle = handle;
    this.#key = key;
    this.#window = window;
  }

  /** One row per key and window. WINDOW_START and WINDOW_END are its bounds. */
  aggregate<const E extends Expressions>(
    id: string,
    calls: E,
    settings?: StepSettings,
  ): Stream<Aggregated<S, Key, E>, { readonly [Name in Late]: S }> {
    const { builder, name: from, open } = this.#handle;
    const aggregate = builder.texts(id, calls);
    const own = { key: this.#key, window: this.#window, aggregate };
    builder.add({ id, from, settings: own, common: settings, site: callSite() });
    return open(id);
  }
}
