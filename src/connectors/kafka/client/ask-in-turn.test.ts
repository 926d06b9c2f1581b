import { describe, expect, it } from '@jest/globals';
import { nodePorts } from '../../../core/node-ports.ts';
import { ManualClock } from '../../../testing/index.ts';
import { kafkaErrors } from '../errors.ts';
import { askInTurn } from './ask-in-turn.ts';

const failure = (reason: string) => kafkaErrors.create('MR-KAFKA-UNREACHABLE', { brokers: 'b', reason });

/** Brokers that answer when the test says so. */
function brokers(count: number) {
  const clock = new ManualClock();
  const answers = Array.from({ length: count }, () => Promise.withResolvers<string>());
  const asked: number[] = [];
  const answer = askInTurn(
    clock,
    answers,
    (one) => {
      asked.push(answers.indexOf(one));
      return one.promise;
    },
    (failures) => new Error(failures.map(({ fields }) => String(fields['reason'])).join()),
  );
  const outcome = answer.then((text) => text, String);
  return { clock, answers, asked, outcome, quiet: () => nodePorts.macrotasks.yield() };
}

describe('brokers that are asked in turn', () => {
  it('are not asked where the first one answers in time', async () => {
    const { clock, answers, asked, outcome } = brokers(2);
    clock.advanceTo(1999);
    answers[0]?.resolve('a');
    expect(await outcome).toBe('a');
    clock.advanceTo(9999);
    expect(asked).toEqual([0]);
  });

  it('are asked at once where the one before fails, and after two seconds where it is silent', async () => {
    const { clock, answers, asked, outcome, quiet } = brokers(3);
    answers[0]?.reject(failure('refused'));
    await quiet();
    expect(asked).toEqual([0, 1]);
    clock.advanceTo(2000);
    expect(asked).toEqual([0, 1, 2]);
    answers[2]?.resolve('c');
    expect(await outcome).toBe('c');
    answers[1]?.reject(failure('late'));
    await quiet();
  });

  it('may answer late, and the one that does first counts', async () => {
    const { clock, answers, asked, outcome, quiet } = brokers(3);
    clock.advanceTo(2000);
    answers[1]?.reject(failure('refused'));
    await quiet();
    expect(asked).toEqual([0, 1, 2]);
    answers[0]?.resolve('a');
    answers[2]?.resolve('c');
    expect(await outcome).toBe('a');
  });

  it('have all failed where each has, and no more are asked where no retry helps', async () => {
    const all = brokers(2);
    all.clock.advanceTo(2000);
    all.answers[1]?.reject(failure('refused'));
    all.answers[0]?.reject(failure('timed out'));
    expect(await all.outcome).toBe('Error: refused,timed out');
    const denied = brokers(2);
    denied.answers[0]?.reject(new Error('wrong password'));
    expect(await denied.outcome).toBe('Error: wrong password');
    denied.clock.advanceTo(9999);
    expect(denied.asked).toEqual([0]);
  });
});
