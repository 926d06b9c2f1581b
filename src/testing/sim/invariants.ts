/** What must hold at every step of a simulation, whatever happens. */
import { readShape, shape } from '../../core/index.ts';
import type { Committable } from '../../core/index.ts';
import { openStored } from '../../ha/index.ts';
import type { ZooKeeperOperation } from '../../ha/index.ts';
import type { SimulatedThread } from './context.ts';
import type { DeliveredCall } from './rpc.ts';
import type { KafkaObserver, OutputRow, Transaction } from './simulated-kafka.ts';
import type { World } from './world.ts';

const { fields, text, integer, list } = shape;
const epochShape = fields({ epoch: integer(0), dispatcherId: text, electionNode: text });
const pointersShape = fields({ checkpoints: list(fields({ metadata: fields({ name: text }) })) });

/** The rows that a job writes: each once, and each key counted from 1 on without a gap. */
export interface Expected {
  readonly rowCount: number;
  readonly keyCount: number;
}

export class Invariants implements KafkaObserver {
  readonly #world: World;
  readonly #root: string;
  readonly #expected: Expected;
  /** The process that the last epoch was granted to. */
  #leader: string | null = null;
  #epoch = 0;
  readonly #leaders = new Map<number, string>();
  /** The newest epoch that each gateway has taken a call of. */
  readonly #accepted = new Map<string, number>();
  readonly #running = new Map<string, SimulatedThread>();
  /** What each metadata file holds, by its name. */
  readonly #metadata = new Map<string, ReadonlySet<string>>();
  /** Transactions that a checkpoint holds to which a pointer has moved. */
  readonly #durable = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #counts = new Set<string>();

  constructor(world: World, root: string, expected: Expected) {
    this.#world = world;
    this.#root = root;
    this.#expected = expected;
  }

  /** Rows that a read_committed reader has got. */
  get visibleCount(): number {
    return this.#seen.size;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** At most one process writes at a time, and every epoch is of one process. */
  written(write: ZooKeeperOperation, path: string, holder: string | null): void {
    if (write.kind === 'check') return;
    if (holder !== null) this.#world.tell(`zookeeper: ${write.kind} ${path} by ${holder}`);
    if (path === `${this.#root}/epoch` && write.kind === 'set' && holder !== null) this.#granted(write.data, holder);
    if (!path.startsWith(`${this.#root}/store/`) || holder === null) return;
    if (holder !== this.#leader) {
      const what = `${holder} wrote ${path}, while the leader of epoch ${this.#epoch} is ${String(this.#leader)}`;
      this.#world.violated('one-writer', what);
    }
    const isRecord = path.startsWith(`${this.#root}/store/records:`);
    if (isRecord && write.kind !== 'delete') this.#pointersMoved(write.data, path);
  }

  accepted({ from, to, kind, name, method, message }: DeliveredCall): void {
    const { epoch } = message as { readonly epoch: number };
    this.#world.tell(`${from.name} -> ${to.name}/${name} ${method} of epoch ${epoch}`);
    if (kind !== 'task-manager') return;
    const gateway = `${to.name}/${name}`;
    const owner = this.#leaders.get(epoch);
    const newest = this.#accepted.get(gateway) ?? 0;
    this.#accepted.set(gateway, Math.max(newest, epoch));
    if (owner !== from.name) {
      const what = `${gateway} took ${method} of ${from.name} for epoch ${epoch}, which is ${String(owner)}'s`;
      this.#world.violated('one-leader', what);
    }
    if (epoch < newest) this.#world.violated('one-leader', `${gateway} took epoch ${epoch} after ${newest}`);
  }

  slotStarts(slot: string, thread: SimulatedThread): void {
    this.#world.tell(`slot ${slot} starts`);
    if (this.#running.get(slot)?.isAlive === true) {
      this.#world.violated('one-task-a-slot', `slot ${slot} is given away while its thread still runs`);
    }
    this.#running.set(slot, thread);
  }

  slotEnded(slot: string, thread: SimulatedThread): void {
    this.#world.tell(`slot ${slot} ended`);
    if (this.#running.get(slot) === thread) this.#running.delete(slot);
  }

  metadataWritten(name: string, handles: readonly Committable[]): void {
    this.#metadata.set(name, new Set(handles.map(transactionOf)));
  }

  committing(transaction: Transaction): void {
    const name = nameOf(transaction);
    this.#world.tell(`kafka commits ${name}`);
    if (!this.#durable.has(name)) {
      this.#world.violated('durable-first', `${name} is committed, and no pointer names a checkpoint that holds it`);
    }
  }

  aborted(transaction: Transaction, why: string): void {
    const name = nameOf(transaction);
    if (!this.#durable.has(name)) return;
    this.#world.violated('none-lost', `${name} of a completed checkpoint is aborted: ${why}`);
  }

  visible({ text: row, key, count }: OutputRow): void {
    if (this.#seen.has(row)) this.#world.violated('none-twice', `${row} is there twice`);
    const counted = `${key} ${count}`;
    if (this.#counts.has(counted)) this.#world.violated('none-twice', `key ${key} was counted to ${count} twice`);
    this.#seen.add(row);
    this.#counts.add(counted);
  }

  /** Once the job has finished. */
  finished(): void {
    const { rowCount, keyCount } = this.#expected;
    const missing = Array.from({ length: rowCount }, (_, n) => `row ${n}`).filter((row) => !this.#seen.has(row));
    if (missing.length > 0) {
      const what = `${missing.length} of ${rowCount} rows are missing, first ${String(missing[0])}`;
      this.#world.violated('none-lost', what);
    }
    const counts = Array.from({ length: rowCount }, (_, n) => `${n % keyCount} ${Math.floor(n / keyCount) + 1}`);
    const uncounted = counts.filter((each) => !this.#counts.has(each));
    if (uncounted.length > 0) this.#world.violated('none-lost', `counts are missing, first ${String(uncounted[0])}`);
  }

  #granted(data: Uint8Array, holder: string): void {
    const reading = readShape(epochShape, JSON.parse(Buffer.from(data).toString('utf8')));
    if (reading.kind === 'refused') throw new Error(`the epoch cannot be read: ${reading.reason}`);
    const { epoch } = reading.value;
    this.#world.tell(`epoch ${epoch} is ${holder}'s`);
    if (epoch <= this.#epoch) this.#world.violated('one-leader', `epoch ${epoch} comes after ${this.#epoch}`);
    this.#epoch = epoch;
    this.#leader = holder;
    this.#leaders.set(epoch, holder);
  }

  #pointersMoved(data: Uint8Array, path: string): void {
    const { value } = openStored(data, path, null);
    const reading = readShape(pointersShape, JSON.parse(Buffer.from(value).toString('utf8')));
    if (reading.kind === 'refused') throw new Error(`the record cannot be read: ${reading.reason}`);
    for (const { metadata } of reading.value.checkpoints) {
      const handles = this.#metadata.get(metadata.name);
      if (handles === undefined) {
        this.#world.violated('durable-first', `a pointer names ${metadata.name}, which is nowhere`);
      }
      for (const handle of handles ?? []) this.#durable.add(handle);
    }
  }
}

function transactionOf({ data }: Committable): string {
  return `${String(data['transactionalId'])} epoch ${String(data['epoch'])}`;
}

function nameOf({ transactionalId, epoch }: Transaction): string {
  return `${transactionalId} epoch ${epoch}`;
}
