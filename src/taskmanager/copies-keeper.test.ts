import { describe, expect, it } from '@jest/globals';
import { jobId, slotId } from '../core/index.ts';
import { ManualClock, SimulatedDisk } from '../testing/index.ts';
import { CopiesKeeper } from './copies-keeper.ts';

const [ONE, TWO] = [slotId('tm-0'), slotId('tm-1')];
const [JOB, OTHER] = [jobId('1'.repeat(32)), jobId('2'.repeat(32))];
const [SHORT_MS, LONG_MS] = [60_000, 3_600_000];

function started() {
  const disk = new SimulatedDisk();
  const { files } = disk.mount();
  const clock = new ManualClock();
  for (const slot of [ONE, TWO]) {
    for (const job of [JOB, OTHER]) {
      disk.makeDirectory(`/copies/${slot}/${job}/chk-1`);
      disk.create(`/copies/${slot}/${job}/chk-1/file.state`);
    }
  }
  /** Once all that was asked for is done: nothing but the disk in memory is waited for. */
  const there = async (): Promise<readonly string[]> => {
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    return disk.paths().map((path) => path.split('/').slice(2, 4).join(' '));
  };
  return { disk, clock, there, keeper: new CopiesKeeper({ directory: '/copies', files, clock }) };
}

describe('copies of jobs that do not run any more', () => {
  it('go when the slot gets another job', async () => {
    const { keeper, there } = started();
    keeper.occupied(ONE, JOB);
    expect(await there()).toEqual([`${ONE} ${JOB}`, `${TWO} ${JOB}`, `${TWO} ${OTHER}`]);
  });

  it('go a while after the slot was freed, unless the job comes back', async () => {
    const { keeper, there, clock } = started();
    keeper.occupied(ONE, JOB);
    keeper.occupied(TWO, JOB);
    keeper.freed(ONE);
    keeper.freed(TWO);
    clock.advanceTo(SHORT_MS);
    keeper.occupied(ONE, JOB);
    clock.advanceTo(LONG_MS);
    expect(await there()).toEqual([`${ONE} ${JOB}`]);
    keeper.freed(ONE);
    keeper.freed(ONE);
    keeper.close();
    clock.advanceTo(2 * LONG_MS);
    expect(await there()).toEqual([`${ONE} ${JOB}`]);
  });

  it('stay where they cannot be removed', async () => {
    const { disk, keeper, there, clock } = started();
    disk.hook = () => {
      throw new Error('the disk is away');
    };
    keeper.occupied(ONE, JOB);
    keeper.freed(TWO);
    clock.advanceTo(LONG_MS);
    expect(await there()).toHaveLength(4);
  });
});
