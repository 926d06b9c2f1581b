import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CrashPoint } from '../../core/index.ts';
import { JobWorld as World, passingError as passing, worldGraph as graph } from '../../testing/index.ts';
import type { JobMaster } from '../job-master.ts';

type Event =
  | { readonly kind: 'time-passes'; readonly ms: number }
  /** Tasks of the sink stop acknowledging, or begin to. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'task-fails' | 'task-ends'; readonly chance: number }
  | { readonly kind: 'slot-lost'; readonly slot: number }
  /** The next time that the leader comes to this point, or at once for null. */
  | { readonly kind: 'leader-dies'; readonly at: CrashPoint | null }
  | { readonly kind: 'leader-comes' };

const chance = fc.nat({ max: 1000 });
const crashPoint = fc.constantFrom<CrashPoint | null>(
  ...['all-acknowledged', 'metadata-written', 'pointer-moved', 'input-ended'] as const,
  ...['generation-raised', 'handles-committed', 'older-aborted'] as const,
  null,
);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('time-passes'), ms: fc.constantFrom(50, 100, 500, 1000) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'silence' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('task-fails', 'task-ends'), chance }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('slot-lost'), slot: fc.nat({ max: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leader-dies'), at: crashPoint }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'leader-comes' }) },
) as fc.Arbitrary<Event>;

const job = { ...graph, restart: { kind: 'fixed-delay', attempts: 100_000, delayMs: 100 } } as const;

/** A job under one leader after the other, and what TaskManagers have seen of them. */
class History {
  /** Ids that a record has ever named, or was about to. */
  readonly pointers = new Set<number>();
  world = new World();
  master: JobMaster;
  #isLed = true;
  readonly #log: string[] = [];
  #result: string | null = null;

  constructor(discoveryIntervalMs: number | null) {
    this.world.discoveryIntervalMs = discoveryIntervalMs;
    this.master = this.world.start({ ...this.world.clustered(), graph: job });
    this.#follow();
  }

  get result(): string | null {
    return this.#result;
  }

  get log(): readonly string[] {
    return [...this.#log, ...this.world.logged(/./)];
  }

  async happen(one: Event): Promise<void> {
    const { manager } = this.world;
    switch (one.kind) {
      case 'time-passes':
        await this.world.pass(one.ms);
        break;
      case 'silence':
        if (!manager.silent.delete('k')) manager.silent.add('k');
        break;
      case 'task-fails':
      case 'task-ends': {
        const task = manager.running[one.chance % Math.max(1, manager.running.length)];
        if (task === undefined) break;
        if (one.kind === 'task-fails') await manager.fail(task, passing('by chance'));
        else await manager.end(task);
        break;
      }
      case 'slot-lost':
        this.world.lose(one.slot);
        break;
      case 'leader-dies':
        if (one.at === null) this.#die();
        this.world.onCrashPoint = (name) => {
          if (name === one.at) this.#die();
        };
        break;
      case 'leader-comes':
        this.lead();
    }
    await this.world.quiet();
  }

  /** There is a leader from now on. */
  lead(): void {
    if (this.#isLed || this.#result !== null) return;
    this.#log.push(...this.world.logged(/./));
    this.world = new World(this.world, true);
    const options = { ...this.world.clustered(), graph: job };
    this.master = this.world.plan === null ? this.world.start(options) : this.world.takeOver({ graph: job });
    this.#isLed = true;
    this.#follow();
  }

  #die(): void {
    this.#isLed = false;
    this.master.abandon();
  }

  #follow(): void {
    this.world.jobs.beforeWrite = ({ checkpoints }) => {
      for (const { checkpointId } of checkpoints) this.pointers.add(checkpointId);
    };
    void this.master.result.then(({ state }) => {
      this.#result = state;
    });
  }
}

/** From whatever state to the end of the job. */
async function finish(history: History): Promise<void> {
  history.lead();
  for (let round = 0; round < 200 && history.result === null; round++) {
    const { world } = history;
    world.onCrashPoint = null;
    world.manager.silent.clear();
    await world.pass(100);
    const { executions, state: jobState } = history.master;
    const isDeployed = executions.every(({ state }) => state === 'RUNNING' || state === 'FINISHED');
    if (isDeployed && jobState === 'RUNNING') {
      for (const task of world.manager.running) await world.manager.end(task);
    }
    await world.quiet();
  }
}

function numbered(log: readonly string[], what: RegExp): readonly number[] {
  return log.flatMap((line) => {
    const found = what.exec(line)?.[1];
    return found === undefined ? [] : [Number(found)];
  });
}

describe('whatever happens to leaders, tasks and slots', () => {
  it('a job finishes with all of its splits, and no id of a checkpoint or an attempt is used twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(null, 300), fc.array(event, { maxLength: 30 }), async (discoveryMs, events) => {
        const history = new History(discoveryMs);
        await history.world.quiet();
        for (const one of events) await history.happen(one);
        await finish(history);
        expect(history.result).toBe('FINISHED');
        const { log, world } = history;
        const triggers = log.filter((line) => line.startsWith('trigger'));
        expect(new Set(triggers).size).toBe(triggers.length);
        const ids = numbered(log, /^trigger (\d+)/);
        expect(ids).toEqual(ids.toSorted((a, b) => a - b));
        for (const id of numbered(log, /^completed (\d+)/)) expect(history.pointers).toContain(id);
        const attempts = world.manager.slices.map(({ attempt, slot }) => `${attempt} ${slot.slotId}`);
        expect(new Set(attempts).size).toBe(attempts.length);
        expect(world.record.isFinished).toBe(true);
        const { vertices } = await world.last();
        const subtasks = vertices.flatMap((vertex) => vertex.subtasks);
        expect(subtasks.every(({ isFinished }) => isFinished)).toBe(true);
        expect(subtasks.flatMap(({ splits }) => splits.map(({ id }) => id)).sort()).toEqual(['a', 'b']);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
