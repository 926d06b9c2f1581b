/**
 * Nexmark's auction site: what stands in event number n. The rules and figures are those of nexmark/nexmark
 * (GeneratorConfig and the generators of its model package): of 50 events one is a person, three are auctions, 46 are
 * bids; ids begin at 1000; half of the bids are for a hot auction, three quarters by a hot bidder; and so on. Random
 * numbers depend on the event's number alone, so that events can be made in any order.
 */
import type { Column } from '../../core/index.ts';
import { RowRandom } from './row-random.ts';
import { TextColumn } from './text-column.ts';

export type NexmarkKind = 'person' | 'auction' | 'bid';

const PERSONS = 1;
const AUCTIONS = 3;
const BIDS = 46;
const EPOCH_EVENTS = PERSONS + AUCTIONS + BIDS;
const FIRST_ID = 1000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
/** A batch of so many ids has one hot one. */
const HOT_BATCH = 100;
const HOT_AUCTION_RATIO = 2;
const HOT_SELLER_RATIO = 4;
const HOT_BIDDER_RATIO = 4;
const HOT_CHANNELS_RATIO = 2;
const CHANNELS = 10_000;
const IN_FLIGHT_AUCTIONS = 100;
const ACTIVE_PEOPLE = 1000;
/** Ids that do not exist yet may be referred to: the event that makes them then comes late. */
const ID_LEAD = 10;
const MEAN_BYTES: Readonly<Record<NexmarkKind, number>> = { person: 200, auction: 500, bid: 100 };

const KIND_ROWS: Readonly<Record<NexmarkKind, number>> = { person: PERSONS, auction: AUCTIONS, bid: BIDS };
const KIND_OFFSETS: Readonly<Record<NexmarkKind, number>> = { person: 0, auction: PERSONS, bid: PERSONS + AUCTIONS };

/** The number of the event that is row `row` of its kind. */
export function eventOfRow(kind: NexmarkKind | 'all', row: number): number {
  if (kind === 'all') return row;
  const perEpoch = KIND_ROWS[kind];
  return Math.floor(row / perEpoch) * EPOCH_EVENTS + KIND_OFFSETS[kind] + (row % perEpoch);
}

export function kindOfEvent(event: number): NexmarkKind {
  const offset = event % EPOCH_EVENTS;
  return offset < PERSONS ? 'person' : offset < PERSONS + AUCTIONS ? 'auction' : 'bid';
}

/** The last person's id before or at an event, from 0. */
function lastPerson(event: number): number {
  const offset = event % EPOCH_EVENTS;
  return Math.floor(event / EPOCH_EVENTS) * PERSONS + Math.min(offset, PERSONS - 1);
}

/** As lastPerson; -1 before the first auction. */
function lastAuction(event: number): number {
  const epoch = Math.floor(event / EPOCH_EVENTS);
  const offset = event % EPOCH_EVENTS;
  if (offset < PERSONS) return epoch * AUCTIONS - 1;
  return epoch * AUCTIONS + Math.min(offset - PERSONS, AUCTIONS - 1);
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const asciiList = (texts: string): readonly Uint8Array[] => texts.split(',').map(ascii);
const STATES = asciiList('AZ,CA,ID,OR,WA,WY');
const CITIES = asciiList('Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne');
const FIRST_NAMES = asciiList('Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter');
const LAST_NAMES = asciiList('Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris');
const HOT_CHANNELS = asciiList('Google,Facebook,Baidu,Apple');
const SITE = ascii('https://www.nexmark.com/');
const ITEM = ascii('/item.htm?query=1');
const CHANNEL_ID = ascii('&channel_id=');
const COM = ascii('.com');
const CHANNEL = ascii('channel-');
const SPACE = 0x20;
const SLASH = 0x2f;
const LETTER_A = 0x61;
const MAX_TEXT_BYTES = 1024;

/** Event times: `startMs` plus so many events per second. */
export interface NexmarkClock {
  readonly startMs: number;
  readonly eventsPerSecond: number;
}

export class NexmarkEvents {
  readonly #clock: NexmarkClock;
  readonly #random: RowRandom;
  readonly #text = new TextColumn();
  /** Random numbers of the text fields: each has its own, so that fields that nobody reads need not be made. */
  readonly #texts: RowRandom;
  /** Of the channels that have come up. */
  readonly #urls = new Array<Uint8Array | null>(HOT_CHANNELS.length + CHANNELS).fill(null);

  constructor(seed: number, clock: NexmarkClock) {
    this.#clock = clock;
    this.#random = new RowRandom(seed, 'nexmark');
    this.#texts = new RowRandom(seed, 'nexmark texts');
  }

  timeOf(event: number): number {
    return this.#clock.startMs + Math.floor((event * 1000) / this.#clock.eventsPerSecond);
  }

  bidAuction(event: number): number {
    const random = this.#start(event, 1);
    const last = lastAuction(event);
    if (random.below(HOT_AUCTION_RATIO) > 0) return Math.floor(last / HOT_BATCH) * HOT_BATCH + FIRST_ID;
    const first = Math.max(last - IN_FLIGHT_AUCTIONS, 0);
    return first + random.below(last - first + 1 + ID_LEAD) + FIRST_ID;
  }

  bidder(event: number): number {
    const random = this.#start(event, 2);
    // The second of a batch, so that hot bidders are not hot sellers.
    if (random.below(HOT_BIDDER_RATIO) > 0) return Math.floor(lastPerson(event) / HOT_BATCH) * HOT_BATCH + 1 + FIRST_ID;
    return this.#anyPerson(event, random);
  }

  seller(event: number): number {
    const random = this.#start(event, 2);
    if (random.below(HOT_SELLER_RATIO) > 0) return Math.floor(lastPerson(event) / HOT_BATCH) * HOT_BATCH + FIRST_ID;
    return this.#anyPerson(event, random);
  }

  #anyPerson(event: number, random: RowRandom): number {
    const people = lastPerson(event) + 1;
    const active = Math.min(people, ACTIVE_PEOPLE);
    return people - active + random.below(active + ID_LEAD) + FIRST_ID;
  }

  /** In cents: log-uniform from 1 to 1,000,000 dollars. */
  price(event: number): number {
    return this.#priceOf(this.#start(event, 3));
  }

  #priceOf(random: RowRandom): number {
    return Math.round(10 ** (random.next() * 6) * 100);
  }

  /** The initial bid and something on top. */
  reserve(event: number): number {
    return this.price(event) + this.#priceOf(this.#start(event, 4));
  }

  category(event: number): number {
    return FIRST_CATEGORY + this.#start(event, 5).below(CATEGORIES);
  }

  /** An auction is open for as long as about IN_FLIGHT_AUCTIONS others are begun, on average. */
  expires(event: number): number {
    const eventsAhead = Math.floor((IN_FLIGHT_AUCTIONS * EPOCH_EVENTS) / AUCTIONS);
    const horizonMs = this.timeOf(event + eventsAhead) - this.timeOf(event);
    return this.timeOf(event) + 1 + this.#start(event, 6).below(Math.max(horizonMs * 2, 1));
  }

  personId(event: number): number {
    return lastPerson(event) + FIRST_ID;
  }

  auctionId(event: number): number {
    return lastAuction(event) + FIRST_ID;
  }

  /** A stream of numbers for one field of an event. */
  #start(event: number, field: number): RowRandom {
    this.#random.start(event * 8 + field);
    return this.#random;
  }

  #startText(event: number, field: number, column: Column, row: number): RowRandom {
    this.#texts.start(event * 8 + field);
    this.#text.start(column, row, MAX_TEXT_BYTES);
    return this.#texts;
  }

  putChannel(event: number, column: Column, row: number): void {
    this.#startText(event, 0, column, row);
    const channel = this.#channel(event);
    if (channel < HOT_CHANNELS.length) this.#text.putAll(HOT_CHANNELS[channel] as Uint8Array);
    else {
      this.#text.putAll(CHANNEL);
      this.#text.putNumber(channel - HOT_CHANNELS.length);
    }
    this.#text.end(row);
  }

  /** Below 4 a hot channel. */
  #channel(event: number): number {
    const random = this.#start(event, 7);
    if (random.below(HOT_CHANNELS_RATIO) > 0) return random.below(HOT_CHANNELS.length);
    return HOT_CHANNELS.length + random.below(CHANNELS);
  }

  /** A channel has one address; nine of ten say which channel they are. */
  putUrl(event: number, column: Column, row: number): void {
    const channel = this.#channel(event);
    // The address depends on the channel alone.
    const random = this.#startText(2 ** 40 + channel, 1, column, row);
    const known = this.#urls[channel] ?? null;
    if (known !== null) this.#text.putAll(known);
    else this.#putNewUrl(channel, random);
    this.#text.end(row);
  }

  #putNewUrl(channel: number, random: RowRandom): void {
    this.#text.putAll(SITE);
    for (let part = 0; part < 3; part++) {
      if (part > 0) this.#text.put(SLASH);
      this.#putLetters(random, 3 + random.below(3), '_');
    }
    this.#text.putAll(ITEM);
    if (channel >= HOT_CHANNELS.length && random.below(10) > 0) {
      this.#text.putAll(CHANNEL_ID);
      this.#text.putNumber(random.bits() >>> 1);
    }
    this.#urls[channel] = this.#text.copy();
  }

  #putLetters(random: RowRandom, length: number, blank: string): void {
    for (let i = 0; i < length; i++) {
      const isBlank = i > 0 && i < length - 1 && random.below(13) === 0;
      this.#text.put(isBlank ? blank.charCodeAt(0) : LETTER_A + random.below(26));
    }
  }

  /** Letters that fill the event up to its kind's mean size, give or take a fifth. */
  putExtra(event: number, kind: NexmarkKind, column: Column, row: number): void {
    const random = this.#startText(event, 2, column, row);
    const mean = MEAN_BYTES[kind] - FILLED_BYTES[kind];
    const spread = Math.round(mean * 0.2);
    this.#text.putLetters(random, mean - spread + random.below(2 * spread));
    this.#text.end(row);
  }

  putItemName(event: number, column: Column, row: number): void {
    const random = this.#startText(event, 3, column, row);
    this.#putLetters(random, 3 + random.below(17), ' ');
    this.#text.end(row);
  }

  putDescription(event: number, column: Column, row: number): void {
    const random = this.#startText(event, 4, column, row);
    this.#putLetters(random, 3 + random.below(97), ' ');
    this.#text.end(row);
  }

  putPersonName(event: number, column: Column, row: number): void {
    const random = this.#startText(event, 3, column, row);
    this.#text.putAll(FIRST_NAMES[random.below(FIRST_NAMES.length)] as Uint8Array);
    this.#text.put(SPACE);
    this.#text.putAll(LAST_NAMES[random.below(LAST_NAMES.length)] as Uint8Array);
    this.#text.end(row);
  }

  putEmail(event: number, column: Column, row: number): void {
    const random = this.#startText(event, 4, column, row);
    this.#putLetters(random, 3 + random.below(4), '.');
    this.#text.put(0x40);
    this.#putLetters(random, 3 + random.below(2), '-');
    this.#text.putAll(COM);
    this.#text.end(row);
  }

  putCreditCard(event: number, column: Column, row: number): void {
    const random = this.#startText(event, 5, column, row);
    for (let part = 0; part < 4; part++) {
      if (part > 0) this.#text.put(SPACE);
      this.#text.putNumber(random.below(10_000), 4);
    }
    this.#text.end(row);
  }

  putCity(event: number, column: Column, row: number): void {
    const random = this.#startText(event, 6, column, row);
    this.#text.putAll(CITIES[random.below(CITIES.length)] as Uint8Array);
    this.#text.end(row);
  }

  putState(event: number, column: Column, row: number): void {
    const random = this.#startText(event, 7, column, row);
    this.#text.putAll(STATES[random.below(STATES.length)] as Uint8Array);
    this.#text.end(row);
  }
}

/** What the fields beside `extra` take, on average. */
const FILLED_BYTES: Readonly<Record<NexmarkKind, number>> = { person: 66, auction: 110, bid: 32 };
