import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { slotId, taskManagerId } from '../../core/index.ts';
import type { FreeSlot } from '../slot-pool.ts';
import { localityCost, localityOf, NOWHERE } from './locality.ts';
import type { Place } from './locality.ts';
import { crowdingCost, hostOf, placeOf } from './placement-request.ts';
import type { PlacementRequest } from './placement-request.ts';
import { placeSplits } from './place-splits.ts';
import type { Reader } from './place-splits.ts';
import { placeSubtasks } from './place-subtasks.ts';

const rack = fc.constantFrom('r1', 'r2', 'r3');
const place: fc.Arbitrary<Place> = fc.oneof(
  {
    weight: 4,
    arbitrary: rack.chain((name) =>
      fc.constantFrom(`${name}-a`, `${name}-b`, null).map((host) => ({ rack: name, host })),
    ),
  },
  { weight: 1, arbitrary: fc.constant(NOWHERE) },
);
const racks = fc.uniqueArray(fc.constantFrom('r1', 'r2', 'r3', 'r1-a', 'r2-b'), { maxLength: 3 });

/** All ways to choose one of `options` at each of `length` places. */
function* choices(length: number, options: number): Generator<readonly number[]> {
  if (length === 0) yield [];
  else for (const rest of choices(length - 1, options)) for (let n = 0; n < options; n++) yield [...rest, n];
}

function* orders<T>(all: readonly T[], length: number): Generator<readonly T[]> {
  if (length === 0) yield [];
  else {
    for (const one of all) {
      const others = all.filter((each) => each !== one);
      for (const rest of orders(others, length - 1)) yield [one, ...rest];
    }
  }
}

const compare = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((each, index) => each !== b[index]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
};
const least = (all: Iterable<readonly number[]>): readonly number[] =>
  [...all].reduce((best, each) => (compare(each, best) < 0 ? each : best));

type Splits = readonly (readonly string[])[];

function readingCost(splits: Splits, places: readonly Place[], readerOf: readonly number[]): number {
  return splits.reduce((sum, each, index) => {
    const locality = localityOf(each, places[readerOf[index] ?? -1] ?? NOWHERE);
    return sum + localityCost(locality, splits.length);
  }, 0);
}

/** How uneven the loads are, then what reading costs. */
function splitCost(splits: Splits, readers: readonly Reader[], readerOf: readonly number[]) {
  const loads = readers.map(({ splitCount }, reader) => splitCount + readerOf.filter((each) => each === reader).length);
  const places = readers.map((each) => each.place);
  return [loads.reduce((sum, load) => sum + load * load, 0), readingCost(splits, places, readerOf)];
}

const readersOf = (reader: fc.Arbitrary<Reader>) => fc.array(reader, { minLength: 1, maxLength: 3 });

describe('splits', () => {
  it('are spread as evenly as can be, and read at the least cost that this allows', () => {
    const reader = fc.record({ place, splitCount: fc.nat({ max: 3 }) });
    fc.assert(
      fc.property(fc.array(racks, { maxLength: 5 }), readersOf(reader), (splits, readers) => {
        const all = [...choices(splits.length, readers.length)].map((each) => splitCost(splits, readers, each));
        expect(splitCost(splits, readers, placeSplits(splits, readers))).toEqual(least(all));
      }),
      { numRuns: 300 },
    );
  });

  it('of a large topic are placed in no time', () => {
    const splits = Array.from({ length: 3000 }, (_, index) => [`r${index % 5}`]);
    const readers = Array.from({ length: 200 }, (_, index) => {
      return { place: { rack: `r${index % 4}`, host: null }, splitCount: 0 };
    });
    const readerOf = placeSplits(splits, readers);
    const [, cost] = splitCost(splits, readers, readerOf);
    // A fifth of them is in a rack where nobody reads.
    expect(cost).toBe(600 * 3001 + 2400);
    expect(Math.max(...readers.map((_, reader) => readerOf.filter((each) => each === reader).length))).toBe(15);
  });
});

function slotsAt(managers: readonly (readonly [at: Place, slots: number])[]): readonly FreeSlot[] {
  return managers.flatMap(([at, slots], manager) =>
    Array.from({ length: slots }, (_, index) => {
      const location = { taskManagerId: taskManagerId(`tm${manager}`), slotId: slotId(`tm${manager}-${index}`), ...at };
      return { location: { ...location, data: null }, address: `tm${manager}`, memoryBytes: 1, tags: [] };
    }),
  );
}

/** What counts, in its order. */
function slotCost({ demands, previous }: PlacementRequest, slots: readonly FreeSlot[]): readonly number[] {
  const places = slots.map(placeOf);
  const reading = demands.reduce((sum, { splits }) => {
    const all = splits.map((split) => split.racks);
    const isDecided = splits.some(({ subtaskIndex }) => subtaskIndex !== null);
    const readers = places.map((each) => ({ place: each, splitCount: 0 }));
    const readerOf = isDecided ? splits.map(({ subtaskIndex }) => subtaskIndex ?? -1) : placeSplits(all, readers);
    return sum + readingCost(all, places, readerOf);
  }, 0);
  const moves = slots.filter(({ location }, slice) => previous[slice]?.taskManagerId !== location.taskManagerId).length;
  const loads = new Map<string, number>();
  let crowding = 0;
  for (const slot of slots) {
    for (const key of [hostOf(slot), `manager ${slot.location.taskManagerId}`]) {
      crowding += crowdingCost(loads.get(key) ?? 0);
      loads.set(key, (loads.get(key) ?? 0) + 1);
    }
  }
  return [reading, previous.length === 0 ? 0 : moves, crowding];
}

describe('subtasks', () => {
  const free = fc.array(fc.tuple(place, fc.integer({ min: 1, max: 2 })), { minLength: 1, maxLength: 3 }).map(slotsAt);
  const world = free.chain((slots) => {
    return fc.tuple(fc.constant(slots), fc.integer({ min: 1, max: Math.min(3, slots.length) }));
  });
  const expectLeast = (request: PlacementRequest, slots: readonly FreeSlot[], placed: readonly FreeSlot[]): void => {
    const costs = [...orders(slots, request.count)].map((each) => slotCost(request, each));
    expect(slotCost(request, placed)).toEqual(least(costs));
  };

  it('whose splits are decided take the slots that cost least', () => {
    fc.assert(
      fc.property(world, fc.array(racks, { maxLength: 6 }), fc.infiniteStream(fc.nat()), fc.boolean(), (...given) => {
        const [[slots, count], splits, chances, isAnew] = given;
        const next = (limit: number): number => (chances.next().value as number) % limit;
        const demanded = splits.map((each) => ({ racks: each, subtaskIndex: next(count) }));
        const left = [...slots];
        const take = (): FreeSlot => left.splice(next(left.length), 1)[0] as FreeSlot;
        const before = Array.from({ length: isAnew ? 0 : count }, take);
        const demands = demanded.length === 0 ? [] : [{ parallelism: count, splits: demanded }];
        const request = { count, demands, previous: before.map(({ location }) => location) };
        const placed = placeSubtasks(request, slots) ?? [];
        expect(new Set(placed).size).toBe(count);
        // Without any demand it is not said which slice is to go where.
        if (demands.length === 0) return;
        expectLeast(request, slots, placed);
      }),
      { numRuns: 200 },
    );
  });

  it('that may read any splits take the slots where reading costs least, then spread evenly', () => {
    fc.assert(
      fc.property(world, fc.array(racks, { maxLength: 6 }), ([slots, count], splits) => {
        const demanded = splits.map((each) => ({ racks: each, subtaskIndex: null }));
        const request = { count, demands: [{ parallelism: count, splits: demanded }], previous: [] };
        const placed = placeSubtasks(request, slots) ?? [];
        expectLeast(request, slots, placed);
      }),
      { numRuns: 200 },
    );
  });

  it('come back to where they were, those of a lost TaskManager elsewhere', () => {
    const at = (name: string): Place => ({ rack: name, host: null });
    const all = slotsAt([[at('r1'), 2], [at('r2'), 2], [at('r3'), 2]]);
    const [, second, third, , fifth] = all as [FreeSlot, FreeSlot, FreeSlot, FreeSlot, FreeSlot];
    const request = { count: 3, demands: [], previous: [fifth, second, third].map(({ location }) => location) };
    const found = placeSubtasks(request, all.toReversed());
    expect(found?.map(({ location }) => location.slotId)).toEqual(['tm2-0', 'tm0-1', 'tm1-0']);
    const left = all.filter(({ address }) => address !== 'tm1');
    const moved = placeSubtasks(request, left)?.map(({ location }) => location.slotId);
    expect(moved?.slice(0, 2)).toEqual(['tm2-0', 'tm0-1']);
  });

  it('wait for more slots, and take the same ones whoever asks again', () => {
    const all = slotsAt([[{ rack: 'r1', host: 'h1' }, 3], [{ rack: 'r1', host: 'h2' }, 3]]);
    expect(placeSubtasks({ count: 7, demands: [], previous: [] }, all)).toBeNull();
    const request = { count: 4, demands: [], previous: [] };
    const once = placeSubtasks(request, all);
    expect(once).toEqual(placeSubtasks(request, all));
    expect(once?.map(({ address }) => address).sort()).toEqual(['tm0', 'tm0', 'tm1', 'tm1']);
  });

  it('of a large job in many racks are placed in time', () => {
    const all = slotsAt(Array.from({ length: 60 }, (_, index) => [{ rack: `r${index % 12}`, host: `h${index}` }, 4]));
    const splits = Array.from({ length: 500 }, (_, index) => ({ racks: [`r${index % 12}`], subtaskIndex: null }));
    const count = 100;
    const placed = placeSubtasks({ count, demands: [{ parallelism: count, splits }], previous: [] }, all) ?? [];
    expect(new Set(placed.map(({ address }) => address)).size).toBe(60);
    const decided = splits.map((split, index) => ({ ...split, subtaskIndex: index % count }));
    const assigned = placeSubtasks({ count, demands: [{ parallelism: count, splits: decided }], previous: [] }, all);
    expect(new Set(assigned).size).toBe(count);
  });
});
