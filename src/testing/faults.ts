import { MillraceError } from '../core/index.ts';
import type { ConnectorCatalog, SinkConnector, SourceConnector } from '../core/index.ts';

/** Makes one call fail, the n-th from now on, among all calls of the objects that were made faulty. */
export class Faults {
  /** Where faults have come about. */
  readonly places: string[] = [];
  #left = Infinity;

  /** The `count`-th call from now on fails, and no other one after it. */
  arm(count: number): void {
    this.#left = count;
  }

  /** Throws where the time has come. */
  at(place: string): void {
    if (--this.#left !== 0) return;
    this.places.push(place);
    const row = { domain: 'external', scope: 'task', retry: 'backoff', message: 'a fault at {place}' } as const;
    throw new MillraceError('MR-TEST-FAULT', row, { place });
  }

  /** The same object, whose methods may fail: before they do anything, and after all was done. */
  faulty<T extends object>(name: string, target: T): T {
    return new Proxy(target, {
      get: (_, property) => {
        const place = `${name}.${String(property)}`;
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value === 'object' && value !== null && OBJECTS.has(property)) return this.faulty(place, value);
        if (typeof value !== 'function') return value;
        const method = value as (...args: unknown[]) => unknown;
        if (NEVER.has(property)) return method.bind(target);
        return (...args: unknown[]) => this.#call(place, () => method.apply(target, args));
      },
      set: (_, property, value) => Reflect.set(target, property, value, target),
    });
  }

  #call(place: string, call: () => unknown): unknown {
    this.at(place);
    const result = call();
    if (!(result instanceof Promise)) return isSnapshot(result) ? this.faulty(place, result) : result;
    return result.then((value: unknown) => {
      this.at(`the end of ${place}`);
      return isFile(value) ? this.faulty(place, value) : value;
    });
  }
}

/** Properties that are faulty objects of their own. */
const OBJECTS = new Set<string | symbol>(['committing', 'state']);
/** What releases resources has to work. */
const NEVER = new Set<string | symbol>(['close', 'release', 'abort', 'remove']);

function isSnapshot(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'release' in value;
}

function isFile(value: unknown): value is object {
  return typeof value === 'object' && value !== null && ('append' in value || 'read' in value);
}

/** The same connectors, of which everything that they make may fail. */
export function faultyCatalog(catalog: ConnectorCatalog, faults: Faults): ConnectorCatalog {
  const sources = [...catalog.sources].map(([name, source]): [string, SourceConnector] => [
    name,
    {
      ...source,
      createEnumerator: (spec, context) => faults.faulty('enumerator', source.createEnumerator(spec, context)),
      createReader: (spec) => faults.faulty('reader', source.createReader(spec)),
    },
  ]);
  const sinks = [...catalog.sinks].map(([name, sink]): [string, SinkConnector] => {
    const { createCommitter } = sink;
    const committer: Partial<SinkConnector> =
      createCommitter === undefined
        ? {}
        : { createCommitter: (spec, context) => faults.faulty('committer', createCommitter(spec, context)) };
    return [name, { ...sink, ...committer, createWriter: (spec) => faults.faulty('writer', sink.createWriter(spec)) }];
  });
  return { ...catalog, sources: new Map(sources), sinks: new Map(sinks) };
}
