import type { Network, PortReservation, SlotId, TlsSettings } from '../core/index.ts';
import type { DataAddress } from '../rpc/index.ts';
import { taskErrors } from './errors.ts';
import type { DataPlaneSettings } from './slot-messages.ts';

/** How slots of other processes reach those of this one. */
export interface DataPlaneOptions {
  /** The address of the machine at which slots listen. */
  readonly bindHost: string;
  /** Where others find them. */
  readonly host: string;
  /** Slot i listens at `firstPort + i`; 0 for ports of the system's choice. */
  readonly firstPort: number;
  /** What others are told, where something forwards `firstAdvertisedPort + i` to `firstPort + i`, not 0 then. */
  readonly firstAdvertisedPort?: number;
  readonly token: string | null;
  readonly tls: TlsSettings | null;
}

interface SlotPort {
  port: number;
  /** Null while the slot's thread listens there itself. */
  held: PortReservation | null;
}

/**
 * The ports at which the threads of slots listen: they are registered before there is a thread, so the main thread
 * holds them meanwhile. Between the two nobody holds a port for an instant; where somebody else gets it in that instant
 * the deployment fails, and the slot gets another port when it is freed, if it may.
 */
export class DataPorts {
  /** Called where a slot has got another port. */
  onMoved: () => void = () => undefined;
  readonly #options: DataPlaneOptions;
  readonly #network: Network;
  readonly #slots = new Map<SlotId, SlotPort>();
  #isClosed = false;

  private constructor(options: DataPlaneOptions, network: Network) {
    this.#options = options;
    this.#network = network;
  }

  /** Rejects with MR-TASK-DATA-PORT where a port is not to be had. */
  static async open(options: DataPlaneOptions, slots: readonly SlotId[], network: Network): Promise<DataPorts> {
    const { firstPort, bindHost: host } = options;
    const all = new DataPorts(options, network);
    for (const [index, slot] of slots.entries()) {
      const port = firstPort === 0 ? 0 : firstPort + index;
      try {
        const held = await all.#reserve(port);
        all.#slots.set(slot, { port: held.port, held });
      } catch (error) {
        all.close();
        const reason = error instanceof Error ? error.message : String(error);
        throw taskErrors.create('MR-TASK-DATA-PORT', { host, port, reason }, error);
      }
    }
    return all;
  }

  addressOf(slot: SlotId): DataAddress {
    const { host, firstPort, firstAdvertisedPort } = this.#options;
    const { port } = this.#slot(slot);
    return { host, port: firstAdvertisedPort === undefined ? port : firstAdvertisedPort + (port - firstPort) };
  }

  /** The thread that is about to start may listen at once. */
  handOver(slot: SlotId): DataPlaneSettings {
    const each = this.#slot(slot);
    each.held?.release();
    each.held = null;
    const { bindHost: host, token, tls } = this.#options;
    return { host, port: each.port, token, tls };
  }

  /** The thread is gone. Resolves when the port is held again, or another one. */
  async takeBack(slot: SlotId): Promise<void> {
    const each = this.#slot(slot);
    for (const port of this.#options.firstPort === 0 ? [each.port, 0] : [each.port]) {
      const held = await this.#tryReserve(port);
      if (held === null) continue;
      each.held = held;
      if (held.port === each.port) return;
      each.port = held.port;
      this.onMoved();
      return;
    }
    // The next thread tries by itself, and says why it cannot.
  }

  close(): void {
    this.#isClosed = true;
    for (const { held } of this.#slots.values()) held?.release();
  }

  async #tryReserve(port: number): Promise<PortReservation | null> {
    try {
      const held = await this.#reserve(port);
      if (!this.#isClosed) return held;
      held.release();
    } catch {
      // Somebody else has it.
    }
    return null;
  }

  async #reserve(port: number): Promise<PortReservation> {
    const held = await this.#network.reservePort?.(this.#options.bindHost, port);
    if (held === undefined) throw new Error('this process can listen at no port');
    return held;
  }

  #slot(slot: SlotId): SlotPort {
    const each = this.#slots.get(slot);
    if (each === undefined) throw new Error(`slot ${slot} has no port`);
    return each;
  }
}
