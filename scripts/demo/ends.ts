import type { OrderSource } from './orders.ts';

/** Where the demo's orders go and its totals come from. */
export interface DemoEnds {
  /** What the job file needs to find them. */
  readonly variables: Readonly<Record<string, string>>;
  /** What makes the job end with the orders that are there. */
  readonly boundedVariables: Readonly<Record<string, string>>;
  /** What makes it go on with orders that come later. */
  readonly endlessVariables: Readonly<Record<string, string>>;
  /** Where the job's standard output goes; null for the terminal. */
  readonly outputFile: string | null;
  /** In the repository; exactly what runs. */
  readonly jobFile: string;
  /** For people: what was started. */
  readonly description: string;
  /** Hands over orders; resolves when the other side has them. */
  send(orders: readonly string[]): Promise<void>;
  /** Every record that the job wrote, those of a region in their order. */
  readOutput(): Promise<readonly string[]>;
  /** Stops and removes everything. */
  close(): Promise<void>;
}

const BATCH_ORDERS = 5000;

export async function sendOrders(ends: DemoEnds, source: OrderSource, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += BATCH_ORDERS) {
    const size = Math.min(BATCH_ORDERS, count - sent);
    await ends.send(Array.from({ length: size }, () => source.next()));
  }
}
