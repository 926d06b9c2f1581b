import { serializeError } from '../core/index.ts';
import type { Ports, SerializedError, Timer } from '../core/index.ts';
import type { JobMasterGateway } from '../rpc/index.ts';
import { retryDelayMs } from './retry-delay.ts';

interface Report {
  readonly deliver: (jobMaster: JobMasterGateway) => Promise<void>;
  readonly mayBeLost: boolean;
  /** Called where no connection takes so large a message. */
  readonly tooLarge?: (error: SerializedError) => void;
}

/**
 * The way of one slot's reports to one JobMaster: in order, each again until it has arrived, as a connection that
 * breaks must not leave a job waiting for a report for ever. Where an answer was lost, the JobMaster gets a report
 * twice.
 */
export class ReportQueue {
  readonly #jobMaster: JobMasterGateway;
  readonly #ports: Pick<Ports, 'clock' | 'randomness'>;
  #waiting: Report[] = [];
  #isBusy = false;
  #isClosed = false;
  #timer: Timer | null = null;

  constructor(jobMaster: JobMasterGateway, ports: Pick<Ports, 'clock' | 'randomness'>) {
    this.#jobMaster = jobMaster;
    this.#ports = ports;
  }

  /** `tooLarge` is called where it can never arrive, and something else has to be said. */
  send(deliver: Report['deliver'], tooLarge: Report['tooLarge'] = () => undefined): void {
    this.#add({ deliver, mayBeLost: false, tooLarge });
  }

  /** For what the next one of its kind makes worthless: that takes its place. */
  sendLatest(deliver: Report['deliver']): void {
    if (this.#waiting.at(-1)?.mayBeLost === true) this.#waiting.pop();
    this.#add({ deliver, mayBeLost: true });
  }

  /** Nobody is there who wants to know. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#timer?.cancel();
  }

  #add(report: Report): void {
    if (this.#isClosed) return;
    this.#waiting.push(report);
    if (!this.#isBusy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await this.#deliver(next);
    this.#isBusy = false;
  }

  async #deliver({ deliver, mayBeLost, tooLarge }: Report): Promise<void> {
    for (let failures = 1; !this.#isClosed; failures++) {
      try {
        await deliver(this.#jobMaster);
        return;
      } catch (error) {
        const told = serializeError(error);
        if (told.code === 'MR-RPC-TOO-LARGE') tooLarge?.(told);
        // A JobMaster that refuses it has heard it.
        if (mayBeLost || told.code !== 'MR-RPC-UNREACHABLE') return;
      }
      await this.#pause(retryDelayMs(failures, this.#ports.randomness));
    }
  }

  /** Never ends once the queue is closed. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#isClosed) this.#timer = this.#ports.clock.schedule(delayMs, resolve, true);
    });
  }
}
