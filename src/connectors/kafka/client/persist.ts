import { isMillraceError, type MillraceError, type Ports } from '../../../core/index.ts';
import { kafkaErrors } from '../errors.ts';

export interface Persistence {
  readonly ports: Ports;
  readonly timeoutMs: number;
  /** The pause before the second attempt; each later one is twice as long, up to a second. */
  readonly firstDelayMs?: number;
  /** What is done, to what: for the message where the time is up. */
  readonly operation: string;
  readonly resource: string;
  /** Whether to give up before the time is up. */
  isClosed(): boolean;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 1000;

/**
 * Calls `attempt` until it resolves to null; text says why not yet. Errors that may be retried count as such until the
 * time is up. Rejects with MR-KAFKA-UNAVAILABLE, or with the last error.
 */
export async function persist(how: Persistence, attempt: () => Promise<string | null>): Promise<void> {
  const { clock } = how.ports;
  const deadlineMs = clock.monotonicMs() + how.timeoutMs;
  for (let delayMs = how.firstDelayMs ?? FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
    let failure: MillraceError | null = null;
    let reason: string | null = null;
    try {
      reason = await attempt();
      if (reason === null) return;
    } catch (error) {
      if (!isMillraceError(error) || error.retry === 'never') throw error;
      failure = error;
    }
    if (clock.monotonicMs() + delayMs > deadlineMs || how.isClosed()) {
      if (failure !== null) throw failure;
      const { operation, resource, timeoutMs } = how;
      const fields = { operation, resource, seconds: timeoutMs / 1000, reason: reason ?? '' };
      throw kafkaErrors.create('MR-KAFKA-UNAVAILABLE', fields);
    }
    await clock.sleep(delayMs);
  }
}
