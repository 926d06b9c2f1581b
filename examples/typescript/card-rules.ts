/**
 * Payments by card. A tiny payment that a large one follows within a minute is how stolen cards are tried: an alert.
 *
 *   millrace run examples/typescript/card-rules.ts --set COUNT=5000
 */
import { decimal, job, string, timestamp } from 'millrace';
import type {
  JobEnvironment,
  ProcessContext,
  ProcessFunction,
  ProcessSetup,
  RowOf,
  ValueState,
} from 'millrace';

const payment = { card: string, amount: decimal(10, 2), at: timestamp };
const alert = { card: string, tried: decimal(10, 2), taken: decimal(10, 2), at: timestamp };

type Payment = RowOf<typeof payment>;
type Alert = RowOf<typeof alert>;

const MINUTE_MS = 60_000;

/** Remembers, per card, a tiny payment for a minute. */
class SmallThenLarge implements ProcessFunction<Payment, Alert> {
  #tiny!: ValueState<{ readonly amount: string; readonly until: number }>;

  open(setup: ProcessSetup): void {
    this.#tiny = setup.valueState('tiny');
  }

  process({ card, amount, at }: Payment, context: ProcessContext<Alert>): void {
    const value = Number(amount);
    const tiny = this.#tiny.get();
    if (tiny !== undefined && value > 100) {
      context.emit({ card, tried: tiny.amount, taken: amount, at });
      context.deleteEventTimer(tiny.until);
      this.#tiny.clear();
    } else if (tiny === undefined && amount !== null && at !== null && value < 1) {
      const until = at + MINUTE_MS;
      this.#tiny.set({ amount, until });
      context.setEventTimer(until);
    }
  }

  /** The minute is over. */
  onTimer(): void {
    this.#tiny.clear();
  }
}

export default (env: JobEnvironment) =>
  job('card-rules', { parallelism: 2 })
    .source('payments', {
      connector: 'datagen',
      with: {
        count: Number(env.get('COUNT', '2000')),
        fields: {
          card: { values: ['4000-1', '4000-2', '4000-3', '4000-4'] },
          amount: { kind: 'uniform', min: 0, max: 120 },
          at: { kind: 'now' },
        },
      },
      schema: payment,
      watermark: { field: 'at', delay: '5s' },
    })
    .filter('known', ({ card }) => card !== null)
    .keyBy('card')
    .process('rules', SmallThenLarge, { schema: alert })
    .map('told', ({ card, tried, taken }) => ({ text: `card ${card}: ${tried}, then ${taken}` }), { text: string })
    .sink('out', { connector: 'print' });
