import { messageOf } from '../../core/index.ts';
import type {
  CodeLoader,
  CodeReference,
  DataType,
  LookupFunction,
  LookupReader,
  LookupRow,
  LookupSpec,
  Value,
} from '../../core/index.ts';
import { codeErrors } from '../process/code-errors.ts';
import { fromUserValue, setField, toUserValue } from '../process/user-values.ts';

/** Asks an async function of the user's, a key at a time. */
export class CodeLookup implements LookupReader {
  readonly batchSize = 1;
  readonly #spec: LookupSpec;
  readonly #reference: CodeReference;
  readonly #loadCode: CodeLoader;
  readonly #row: DataType;
  #ask: LookupFunction | null = null;

  constructor(spec: LookupSpec, reference: CodeReference, loadCode: CodeLoader) {
    this.#spec = spec;
    this.#reference = reference;
    this.#loadCode = loadCode;
    this.#row = { kind: 'row', fields: spec.schema.fields };
  }

  async open(): Promise<void> {
    const code = await this.#loadCode(this.#reference);
    if (typeof code !== 'function') {
      const { module, name } = this.#reference;
      throw codeErrors.create('MR-CODE-SHAPE', { module, name, problem: 'a lookup needs an async function (key)' });
    }
    this.#ask = code as LookupFunction;
  }

  async lookup(keys: readonly LookupRow[], signal: AbortSignal): Promise<readonly (readonly LookupRow[])[]> {
    return Promise.all(keys.map((key) => this.#lookupOne(key, signal)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #lookupOne(key: LookupRow, signal: AbortSignal): Promise<readonly LookupRow[]> {
    const asked = this.#convert(() => this.#keyOf(key));
    let found: unknown;
    try {
      found = await (this.#ask as LookupFunction)(asked, { signal });
    } catch (error) {
      const fields = { step: this.#spec.stepId, problem: messageOf(error) };
      throw codeErrors.create('MR-CODE-LOOKUP', fields, error);
    }
    if (found === null || found === undefined) return [];
    const rows: readonly unknown[] = Array.isArray(found) ? found : [found];
    return this.#convert(() => rows.map((row) => fromUserValue(row, this.#row) as LookupRow));
  }

  #keyOf(key: LookupRow): Record<string, unknown> {
    const asked: Record<string, unknown> = {};
    this.#spec.keys.fields.forEach(({ name, type }, index) => {
      setField(asked, name, toUserValue(key[index] as Value, type, 'number'));
    });
    return asked;
  }

  /** What does not fit is an error of the row, and asking again changes nothing. */
  #convert<T>(convert: () => T): T {
    try {
      return convert();
    } catch (error) {
      const fields = { step: this.#spec.stepId, problem: messageOf(error) };
      throw codeErrors.create('MR-CODE-LOOKUP-ROW', fields, error);
    }
  }
}
