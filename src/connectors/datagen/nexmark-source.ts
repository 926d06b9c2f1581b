import { batchOf, defineOptions, rowSchema, rowsOf, types, writeValue } from '../../core/index.ts';
import type {
  Column,
  Field,
  Options,
  OptionValues,
  RowSchema,
  SourceConnector,
  SourceSpec,
  Value,
} from '../../core/index.ts';
import type { WantedFields } from '../formats/wanted-fields.ts';
import { eventOfRow, kindOfEvent, NexmarkEvents, type NexmarkKind } from './nexmark-events.ts';
import { RowReader, RowSplits, type RowMaker, type RowPlan } from './row-source.ts';

const options = defineOptions({
  kind: {
    kind: 'enum',
    values: ['bid', 'auction', 'person', 'all'],
    default: 'all',
    doc: 'Which events to emit; `all` gives rows with the fields `person`, `auction` and `bid`, of which one is set.',
    scope: 'connector',
  },
  events: {
    kind: 'integer',
    min: 0,
    doc: 'How many rows to emit before the source ends; without it there is no end.',
    aliases: ['events.num'],
    scope: 'connector',
  },
  rate: {
    kind: 'number',
    min: 0.001,
    unit: 'rows per second',
    doc: 'How fast to emit, all subtasks together; without it as fast as they are taken.',
    aliases: ['first-event.rate'],
    scope: 'connector',
  },
  eventRate: {
    kind: 'number',
    min: 0.001,
    default: 10_000,
    unit: 'events per second',
    doc: 'How far apart event times (`dateTime`) are, counted over events of all kinds.',
    scope: 'connector',
  },
  startTime: {
    kind: 'integer',
    default: 1_436_918_400_000,
    unit: 'ms since 1970',
    doc: 'The event time of the first event; 2015-07-15 as in Nexmark.',
    aliases: ['base-time'],
    scope: 'connector',
  },
  seed: { kind: 'integer', default: 0, doc: 'Another seed makes other events.', scope: 'connector' },
});
type NexmarkOptions = OptionValues<typeof options>;

const { long, string, timestamp } = types;
const fields = (all: Readonly<Record<string, Field['type']>>): Field[] =>
  Object.entries(all).map(([name, type]) => ({ name, type }));

const SCHEMAS: Readonly<Record<NexmarkKind, RowSchema>> = {
  person: rowSchema(
    fields({
      id: long, name: string, emailAddress: string, creditCard: string, city: string, state: string,
      dateTime: timestamp, extra: string,
    }),
  ),
  auction: rowSchema(
    fields({
      id: long, itemName: string, description: string, initialBid: long, reserve: long, dateTime: timestamp,
      expires: timestamp, seller: long, category: long, extra: string,
    }),
  ),
  bid: rowSchema(
    fields({
      auction: long, bidder: long, price: long, channel: string, url: string, dateTime: timestamp, extra: string,
    }),
  ),
};

const KINDS = ['person', 'auction', 'bid'] as const satisfies readonly NexmarkKind[];
const ALL = rowSchema([
  ...KINDS.map((kind) => ({ name: kind, type: types.row(SCHEMAS[kind].fields) })),
  { name: 'dateTime', type: timestamp },
]);

function schemaOf(given: Options): RowSchema {
  const { kind } = given as NexmarkOptions;
  return kind === 'all' ? ALL : SCHEMAS[kind];
}

function planOf(given: Options): RowPlan {
  const { events, rate } = given as NexmarkOptions;
  return { rate, count: events };
}

/** The auction site of the Nexmark benchmark: persons, auctions and bids, the same for every run. */
export const nexmarkSource: SourceConnector = Object.freeze({
  kind: 'source',
  name: 'nexmark',
  doc: 'Makes the events of the Nexmark benchmark: persons, auctions and bids, 1 to 3 to 46.',
  options,
  formatUse: 'none',
  example: 'kind: bid\nevents: 1000000',
  metadata: {},
  deadLetters: false,
  fixedSchema: schemaOf,
  isBounded: (given) => planOf(given).count !== null,
  check: () => [],
  createEnumerator: (spec) => new RowSplits(planOf(spec.options)),
  createReader: (spec) => new RowReader(spec, planOf(spec.options), (wanted) => createMaker(spec, wanted)),
} satisfies SourceConnector);

function createMaker(spec: SourceSpec, wanted: WantedFields): RowMaker {
  const { kind, seed, startTime, eventRate } = spec.options as NexmarkOptions;
  const events = new NexmarkEvents(seed, { startMs: startTime, eventsPerSecond: eventRate });
  const names = wanted.targets.map(({ field }) => field.name);
  if (kind === 'all') return new AnyEventMaker(events, names);
  const writers = names.map((name) => writerOf(kind, name));
  return {
    make: (index, columns, row) => {
      const event = eventOfRow(kind, index);
      for (let i = 0; i < writers.length; i++) {
        (writers[i] as FieldWriter)(events, event, columns[i] as Column, row);
      }
    },
  };
}

type FieldWriter = (events: NexmarkEvents, event: number, column: Column, row: number) => void;

const number =
  (value: (events: NexmarkEvents, event: number) => number): FieldWriter =>
  (events, event, column, row) => {
    if (column.kind === 'long' || column.kind === 'double') column.values[row] = value(events, event);
  };
const dateTime = number((events, event) => events.timeOf(event));
const extra =
  (kind: NexmarkKind): FieldWriter =>
  (events, event, column, row) => events.putExtra(event, kind, column, row);

const WRITERS: Readonly<Record<NexmarkKind, Readonly<Record<string, FieldWriter>>>> = {
  person: {
    id: number((events, event) => events.personId(event)),
    name: (events, event, column, row) => events.putPersonName(event, column, row),
    emailAddress: (events, event, column, row) => events.putEmail(event, column, row),
    creditCard: (events, event, column, row) => events.putCreditCard(event, column, row),
    city: (events, event, column, row) => events.putCity(event, column, row),
    state: (events, event, column, row) => events.putState(event, column, row),
    dateTime,
    extra: extra('person'),
  },
  auction: {
    id: number((events, event) => events.auctionId(event)),
    itemName: (events, event, column, row) => events.putItemName(event, column, row),
    description: (events, event, column, row) => events.putDescription(event, column, row),
    initialBid: number((events, event) => events.price(event)),
    reserve: number((events, event) => events.reserve(event)),
    dateTime,
    expires: number((events, event) => events.expires(event)),
    seller: number((events, event) => events.seller(event)),
    category: number((events, event) => events.category(event)),
    extra: extra('auction'),
  },
  bid: {
    auction: number((events, event) => events.bidAuction(event)),
    bidder: number((events, event) => events.bidder(event)),
    price: number((events, event) => events.price(event)),
    channel: (events, event, column, row) => events.putChannel(event, column, row),
    url: (events, event, column, row) => events.putUrl(event, column, row),
    dateTime,
    extra: extra('bid'),
  },
};

function writerOf(kind: NexmarkKind, name: string): FieldWriter {
  const writer = WRITERS[kind][name];
  if (writer === undefined) throw new RangeError(`${kind} has no field ${name}`);
  return writer;
}

/** Rows of `kind: all`: nested, and so not for measurements. */
class AnyEventMaker implements RowMaker {
  readonly #events: NexmarkEvents;
  readonly #names: readonly string[];

  constructor(events: NexmarkEvents, names: readonly string[]) {
    this.#events = events;
    this.#names = names;
  }

  make(index: number, columns: readonly Column[], row: number): void {
    const kind = kindOfEvent(index);
    this.#names.forEach((name, position) => {
      const column = columns[position] as Column;
      if (name === 'dateTime') writeValue(column, row, this.#events.timeOf(index));
      else writeValue(column, row, name === kind ? this.#rowOf(kind, index) : null);
    });
  }

  #rowOf(kind: NexmarkKind, event: number): readonly Value[] {
    const batch = batchOf(SCHEMAS[kind], []);
    batch.rowCount = 1;
    SCHEMAS[kind].fields.forEach(({ name }, field) => {
      writerOf(kind, name)(this.#events, event, batch.columns[field] as Column, 0);
    });
    return rowsOf(batch)[0] ?? [];
  }
}
