import { apiErrors } from './errors.ts';

/** What a job that is a function may ask for: variables of `--set NAME=value`, then of the environment. */
export interface JobEnvironment {
  /** The value of a variable; where it is not set or empty, `otherwise`, and without that an error. */
  get(name: string, otherwise?: string): string;
}

/** Remembers what was asked for, so that every slot can be told the same. */
export class RecordingEnvironment implements JobEnvironment {
  readonly #lookUp: (name: string) => string | undefined;
  readonly #asked = new Map<string, string>();
  #isClosed = false;

  constructor(lookUp: (name: string) => string | undefined) {
    this.#lookUp = lookUp;
  }

  /** Values by name, of what has a value. */
  get variables(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#asked);
  }

  /** The job is made: what is asked for from now on, slots were not told. */
  close(): void {
    this.#isClosed = true;
  }

  get(name: string, otherwise?: string): string {
    if (this.#isClosed) throw apiErrors.create('MR-API-LATE-VARIABLE', { name });
    const value = this.#lookUp(name);
    if (value !== undefined && value !== '') {
      this.#asked.set(name, value);
      return value;
    }
    if (otherwise === undefined) throw apiErrors.create('MR-API-NO-VARIABLE', { name });
    return otherwise;
  }
}
