/** What session windows hold: per key and session, its bounds and what the calls have seen. */
import { MAX_TIMESTAMP_MS } from '../../core/index.ts';
import type { StateChunk, StateSchema } from '../../core/index.ts';
import { AggregateCalls } from '../aggregate/aggregate-calls.ts';
import { KeyedRows } from '../aggregate/keyed-rows.ts';
import { ByteReader } from '../state/byte-reader.ts';
import { KeyTable } from '../state/key-table.ts';
import { ScratchRow } from '../state/scratch-row.ts';
import { SlotSnapshots } from '../state/slot-snapshots.ts';
import type { SnapshotEntries } from '../state/slot-snapshots.ts';
import { matchSchemas } from '../state/state-schema.ts';
import { NO_SESSION, SessionChains } from './session-chains.ts';
import { windowSchema } from './window-schema.ts';
import type { SessionWindow, WindowSpec } from './window-spec.ts';

const SPACE = 0;

export class SessionStore {
  readonly calls: AggregateCalls;
  readonly table: KeyTable;
  readonly rows: KeyedRows;
  readonly chains: SessionChains;
  readonly snapshots: SlotSnapshots;
  readonly schema: StateSchema;
  readonly #stepId: string;
  readonly #gapMs: number;
  /** -1 while none was needed. */
  #empty = NO_SESSION;

  constructor(spec: WindowSpec<SessionWindow>) {
    this.#stepId = spec.stepId;
    this.#gapMs = spec.window.gapMs;
    this.calls = new AggregateCalls(spec);
    this.table = new KeyTable(this.calls.keyFields.map(({ type }) => type));
    this.rows = new KeyedRows(this.calls, this.table);
    this.chains = new SessionChains(spec.window.gapMs);
    this.snapshots = new SlotSnapshots(this.#entries());
    this.schema = windowSchema(this.calls, spec.window);
  }

  get sizeBytes(): number {
    return this.table.sizeBytes + this.calls.sizeBytes + this.chains.sizeBytes + this.snapshots.sizeBytes;
  }

  /** A key of the row's, which the table does not have. */
  addKey(row: number, hash: number): number {
    const key = this.table.insert(hash, row, SPACE);
    this.chains.addKey(key);
    return key;
  }

  /** The key of a row, or -1. */
  findKey(row: number, hash: number): number {
    return this.table.find(hash, row, SPACE);
  }

  /** A new session of one row. */
  insert(key: number, timeMs: number, older: number): number {
    const session = this.chains.insert(key, timeMs, older);
    this.calls.reserve(this.chains.limit);
    if (this.snapshots.isTaking) this.snapshots.added(session);
    return session;
  }

  extend(session: number, timeMs: number): void {
    if (this.snapshots.isTaking) this.snapshots.beforeChange(session);
    this.chains.extend(session, timeMs);
  }

  /** The newer of two neighbours goes into the older one. */
  merge(older: number, newer: number): void {
    if (this.snapshots.isTaking) {
      this.snapshots.beforeChange(older);
      this.snapshots.beforeChange(newer);
    }
    this.calls.loops.merge(older, newer);
    this.calls.loops.clear(newer);
    this.chains.absorb(older, newer);
  }

  free(session: number): void {
    if (this.snapshots.isTaking) this.snapshots.beforeChange(session);
    const key = this.chains.keyOf(session);
    this.calls.loops.clear(session);
    this.chains.remove(session);
    if (!this.chains.hasSessions(key)) this.table.remove(key);
  }

  hashOf(session: number): number {
    return this.table.hashOf(this.chains.keyOf(session));
  }

  /** A session that has seen nothing: what rows that take others back are filled from. */
  emptySession(): number {
    if (this.#empty === NO_SESSION) {
      this.#empty = this.chains.reserve();
      this.calls.reserve(this.chains.limit);
      if (this.snapshots.isTaking) this.snapshots.added(this.#empty);
    }
    return this.#empty;
  }

  /** `onSession` is told of each session that came back; sessions for which `isGone` holds do not. */
  restore(
    { bytes, keyGroup }: StateChunk,
    written: StateSchema,
    maxParallelism: number,
    target: {
      readonly isGone: (endMs: number, keyGroup: number) => boolean;
      readonly onSession: (session: number) => void;
    },
  ): void {
    const places = matchSchemas(written, this.schema, this.#stepId);
    const from = new ByteReader(bytes, this.#stepId);
    const scratch = new ScratchRow(this.schema.key);
    while (!from.atEnd) {
      const hash = scratch.readKey(from, keyGroup, maxParallelism);
      const startMs = Number(from.integer());
      const lastMs = startMs + from.varint();
      if (!isTime(startMs) || !isTime(lastMs)) from.fail('a session has bounds that are no timestamps');
      if (target.isGone(lastMs + this.#gapMs, keyGroup)) {
        this.calls.skip(from, places.length);
        continue;
      }
      this.table.bind(scratch.columns);
      const known = this.findKey(0, hash);
      const key = known < 0 ? this.addKey(0, hash) : known;
      const older = this.chains.newestBefore(key, lastMs + this.#gapMs);
      if (older !== NO_SESSION && this.chains.endOf(older) > startMs) from.fail('two sessions of a key overlap');
      const session = this.insert(key, startMs, older);
      this.chains.extend(session, lastMs);
      this.calls.decode(session, from, places);
      target.onSession(session);
    }
  }

  #entries(): SnapshotEntries {
    const { table, calls, chains } = this;
    return {
      get slotLimit() {
        return chains.limit;
      },
      isUsed: (session) => session !== this.#empty && chains.isUsed(session),
      hashOf: (session) => this.hashOf(session),
      encode: (session, to) => {
        table.encode(chains.keyOf(session), to);
        to.integer(chains.startOf(session), null);
        to.varint(chains.endOf(session) - this.#gapMs - chains.startOf(session));
        calls.encode(session, to);
      },
    };
  }
}

function isTime(timeMs: number): boolean {
  return Number.isSafeInteger(timeMs) && Math.abs(timeMs) <= MAX_TIMESTAMP_MS;
}
