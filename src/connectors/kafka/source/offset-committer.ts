/**
 * Commits positions of completed checkpoints to a consumer group, so that lag tools see them. Nobody reads them back
 * but `start: group` of another job, so a failure is told once and harms nothing.
 */
import { isMillraceError, type Ports } from '../../../core/index.ts';
import type { KafkaClient } from '../client/index.ts';
import { settledWithin } from '../settled-within.ts';
import type { KafkaPosition } from './kafka-split.ts';

export class OffsetCommitter {
  readonly #client: Pick<KafkaClient, 'commitOffsets'>;
  readonly #group: string;
  readonly #stepId: string;
  readonly #ports: Ports;
  /** The newest that is not being committed yet: those before it are passed over. */
  #next: readonly KafkaPosition[] | null = null;
  #running: Promise<void> | null = null;
  #isFailing = false;

  constructor(client: Pick<KafkaClient, 'commitOffsets'>, group: string, stepId: string, ports: Ports) {
    this.#client = client;
    this.#group = group;
    this.#stepId = stepId;
    this.#ports = ports;
  }

  commit(positions: readonly KafkaPosition[]): void {
    if (positions.length === 0) return;
    this.#next = positions;
    this.#running ??= this.#run();
  }

  /** Resolves when what was last given is committed, or after a while. */
  async settle(timeoutMs: number): Promise<void> {
    if (this.#running !== null) await settledWithin(this.#running, timeoutMs, this.#ports.clock);
  }

  async #run(): Promise<void> {
    for (let positions = this.#next; positions !== null; positions = this.#next) {
      this.#next = null;
      try {
        await this.#client.commitOffsets(this.#group, positions);
        this.#isFailing = false;
      } catch (error) {
        this.#tell(error);
      }
    }
    this.#running = null;
  }

  #tell(error: unknown): void {
    const isClosing = isMillraceError(error) && error.code === 'MR-KAFKA-CLOSED';
    if (this.#isFailing || isClosing) return;
    this.#isFailing = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#ports.streams.writeError(`step ${this.#stepId}: offsets are not committed to ${this.#group}: ${reason}\n`);
  }
}
