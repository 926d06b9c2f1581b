import { codeErrors } from './code-errors.ts';
import type { ProcessSpec } from './process-spec.ts';
import type { UserKeys } from './user-keys.ts';

/** What calls of user code do with timers, as far as the step can have any. */
export class TimerUse {
  readonly #spec: ProcessSpec;
  readonly #keys: UserKeys | null;
  readonly #hasOnTimer: boolean;

  constructor(spec: ProcessSpec, keys: UserKeys | null, hasOnTimer: boolean) {
    this.#spec = spec;
    this.#keys = keys;
    this.#hasOnTimer = hasOnTimer;
  }

  use(isEventTime: boolean, isSetting: boolean, timeMs: number): void {
    const problem = this.#problem(isEventTime);
    const keys = this.#keys;
    if (problem !== null || keys === null) {
      const what = isEventTime ? 'an event timer' : 'a timer';
      throw codeErrors.create('MR-CODE-NO-KEY', { step: this.#spec.stepId, what, problem: problem ?? '' });
    }
    if (!Number.isSafeInteger(timeMs)) throw new RangeError(`a timer for ${timeMs}, which is no whole number of ms`);
    const timers = isEventTime ? keys.events : keys.clock;
    if (isSetting) keys.setTimer(timers, timeMs + 0);
    else keys.deleteTimer(timers, timeMs);
  }

  #problem(isEventTime: boolean): string | null {
    if (this.#spec.keys.length === 0) return 'needs `key`: timers are per key';
    if (this.#keys === null || !this.#hasOnTimer) return 'needs a class with onTimer()';
    return isEventTime && !this.#spec.hasEventTime ? 'needs rows with event time' : null;
  }
}
