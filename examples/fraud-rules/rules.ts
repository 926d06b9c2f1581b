import type { FiredTimer, MapState, ProcessContext, ProcessFunction, ProcessSetup, ValueState } from 'millrace';

export interface Payment {
  readonly id: number;
  readonly card: string;
  readonly amount: number;
  readonly country: string;
  readonly at: number;
}

export interface Alert {
  readonly card: string;
  readonly rule: string;
  readonly payment: number;
  readonly at: number;
}

const MINUTE_MS = 60_000;
/** How far back the rules look. */
const MEMORY_MS = 10 * MINUTE_MS;

/**
 * Rules over the payments of one card, in the order of their times: a payment waits until the watermark has reached it,
 * so that one which comes late is still judged in its place, and the alerts do not depend on the order of arrival.
 */
export class FraudRules implements ProcessFunction<Payment, Alert> {
  /** Payments whose time has not come, by time. */
  #waiting!: MapState<number, Payment[]>;
  /** Those of the last minutes, oldest first. */
  #recent!: ValueState<Payment[]>;

  open(setup: ProcessSetup): void {
    this.#waiting = setup.mapState('waiting');
    this.#recent = setup.valueState('recent');
  }

  process(payment: Payment, context: ProcessContext<Alert>): void {
    this.#waiting.set(payment.at, [...(this.#waiting.get(payment.at) ?? []), payment]);
    context.setEventTimer(payment.at);
  }

  onTimer({ timestamp }: FiredTimer, context: ProcessContext<Alert>): void {
    const recent = (this.#recent.get() ?? []).filter(({ at }) => at > timestamp - MEMORY_MS);
    for (const payment of (this.#waiting.get(timestamp) ?? []).sort((a, b) => a.id - b.id)) {
      for (const rule of brokenRules(recent, payment)) {
        context.emit({ card: payment.card, rule, payment: payment.id, at: payment.at });
      }
      recent.push(payment);
      // Nothing is kept of a card that is not used any more.
      context.setEventTimer(payment.at + MEMORY_MS);
    }
    this.#waiting.delete(timestamp);
    if (recent.length === 0) this.#recent.clear();
    else this.#recent.set(recent);
  }
}

function brokenRules(recent: readonly Payment[], { amount, country, at }: Payment): string[] {
  const rules: string[] = [];
  const last = recent.at(-1);
  // A thief tries whether the card works, and then buys.
  if (last !== undefined && last.amount < 1 && amount > 500 && at - last.at <= MINUTE_MS) rules.push('probe');
  if (recent.length === 5) rules.push('burst');
  if (last !== undefined && last.country !== country && at - last.at <= 5 * MINUTE_MS) rules.push('travel');
  return rules;
}
