import { describe, expect, it } from '@jest/globals';
import { BREAKS, runSimulation } from './index.ts';
import type { Break } from './index.ts';

const SEEDS = 200;

describe('a simulated cluster', () => {
  it('loses nothing, doubles nothing and goes on, whatever is disturbed', async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations } = await runSimulation({ seed });
      for (const { invariant, what } of violations) found.push(`seed ${seed}: ${invariant}: ${what}`);
    }
    expect(found).toEqual([]);
  }, 600_000);

  it('has one history for one seed', async () => {
    const [once, again, other] = [
      await runSimulation({ seed: 5, keepsTrace: true }),
      await runSimulation({ seed: 5, keepsTrace: true }),
      await runSimulation({ seed: 6 }),
    ];
    expect(again.trace).toEqual(once.trace);
    expect(again.hash).toBe(once.hash);
    expect(other.hash).not.toBe(once.hash);
  }, 120_000);

  it.each<readonly [Break, string]>([
    ['ignored-fence', 'one-writer'],
    ['ignored-epoch', 'one-leader'],
    ['slot-twice', 'one-task-a-slot'],
    ['early-commit', 'durable-first'],
    ['forgotten-handles', 'none-lost'],
    ['stale-restore', 'none-twice'],
    ['open-leftovers', 'none-lost'],
    ['swallowed-reports', 'bounded-recovery'],
    ['final-failures', 'job-survives'],
    ['unborne-loss', 'clean-end'],
  ])('finds what %s breaks', async (broken, invariant) => {
    expect(Object.keys(BREAKS)).toContain(broken);
    let found: string | null = null;
    for (let seed = 1; seed <= SEEDS && found === null; seed++) {
      const { violations } = await runSimulation({ seed, broken });
      found = violations[0]?.invariant ?? null;
    }
    expect(found).toBe(invariant);
  }, 600_000);
});
