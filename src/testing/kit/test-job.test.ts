import { describe, expect, it } from '@jest/globals';

import { decimal, int, job, long, string, timestamp } from '../../api/index.ts';
import type { JobExport, RowOf } from '../../api/index.ts';
import type { FiredTimer, ProcessContext, ProcessFunction, ProcessSetup, ValueState } from '../../core/index.ts';
import { codeOf } from '../refusal.ts';
import { testJob, testStep } from './index.ts';

const SALE = { region: string, amount: int, at: timestamp };

describe('a step under test', () => {
  it('is given rows, and keeps what leaves it', async () => {
    const step = await testStep({ id: long, price: decimal(10, 2) }, (rows) =>
      rows.filter('some', 'price > 1').select('twice', { id: 'id', twice: 'price * 2' }),
    );
    await step.send({ id: 1, price: '1.50' }, { id: 2n, price: 1 }, { id: null, price: '7' });
    expect(step.take()).toEqual([
      { id: 1, twice: '3.00' },
      { id: null, twice: '14.00' },
    ]);
    expect(step.take()).toEqual([]);
    await step.close();
  });

  it('reckons with event time and with late rows', async () => {
    const step = await testStep(
      SALE,
      (rows) =>
        rows
          .keyBy('region')
          .window({ tumble: '10ms', late: 'late' })
          .aggregate('sums', { n: 'COUNT(*)', sum: 'SUM(amount)', until: 'WINDOW_END' }),
      { time: 'at', sides: ['late'] },
    );
    await step.send({ region: 'n', amount: 3, at: 101 }, { region: 'n', amount: 4, at: 109 });
    await step.watermark(109);
    expect(step.take()).toEqual([]);
    await step.watermark(110);
    expect(step.take()).toEqual([{ region: 'n', n: 2, sum: 7, until: 110 }]);
    await step.send({ region: 's', amount: 5, at: 102 }, { region: 's', amount: 6, at: 111 });
    expect(step.takeSide('late')).toEqual([{ region: 's', amount: 5, at: 102 }]);
    await step.finish();
    expect(step.take()).toEqual([{ region: 's', n: 1, sum: 6, until: 120 }]);
    await step.close();
  });

  it('says what a row does to earlier ones', async () => {
    const step = await testStep(SALE, (rows) => rows.keyBy('region').aggregate('n', { n: 'COUNT(*)' }));
    await step.send({ region: 'n', amount: 1, at: null }, { region: 'n', amount: 2, at: null });
    expect(step.changes().map(({ kind, row }) => [kind, row.n])).toEqual([
      ['insert', 1],
      ['update-after', 2],
    ]);
    await step.close();
  });

  it('joins what is replaced: each sale beside the total of its region, which follows', async () => {
    const build = () =>
      testStep(
        SALE,
        (rows) => {
          const sales = rows.filter('sales', 'amount > 0');
          const totals = rows.keyBy('region').aggregate('totals', { total: 'SUM(amount)', n: 'COUNT(*)' });
          return sales.join('share', totals, {
            type: 'left',
            on: 'sales.region = totals.region AND totals.n > 1',
            select: { region: 'sales.region', amount: 'amount', total: 'total' },
          });
        },
        { parallelism: 2, restarts: 'after-every-event' },
      );
    const step = await build();
    const sale = (region: string, amount: number) => ({ region, amount, at: null });
    const left = (): string[] => {
      const rows: string[] = [];
      for (const { kind, row } of step.changes()) {
        const text = JSON.stringify(Object.values(row));
        if (kind === 'insert') rows.push(text);
        else expect(rows.splice(rows.indexOf(text), 1)).toEqual([text]);
      }
      return rows.sort();
    };
    await step.send(sale('n', 3), sale('s', 1));
    expect(left()).toEqual(['["n",3,null]', '["s",1,null]']);
    await step.send(sale('n', 4), sale('n', -2));
    expect(left()).toEqual(['["n",3,5]', '["n",4,5]', '["s",1,null]']);
    await step.close();
  });

  it('throws what fails, or collects it', async () => {
    const build = () => testStep({ n: int }, (rows) => rows.select('inverse', { inverse: '10 / n' }));
    const step = await build();
    await expect(step.send({ n: 0 })).rejects.toMatchObject({ code: expect.stringMatching(/^MR-EXPR-/) });
    await expect(step.send({ n: 'x' as never })).rejects.toThrow('source input, field n');
    await expect(step.send({ m: 1 } as never)).rejects.toThrow('has no field m, only n');
    const lenient = await testStep({ n: int }, (rows) => rows.select('inverse', { inverse: '10 / n' }), {
      errors: 'collect',
    });
    await lenient.send({ n: 0 }, { n: 5 });
    expect(lenient.failures).toEqual([{ stepId: 'inverse', code: expect.any(String), message: expect.any(String) }]);
    expect(lenient.take()).toEqual([{ inverse: 2 }]);
    await Promise.all([step.close(), lenient.close()]);
  });
});

const TICK = { region: string, n: int };

/** Counts per region until a timer tells the count. */
class Ticks implements ProcessFunction<RowOf<typeof SALE>, RowOf<typeof TICK>> {
  #count!: ValueState<number>;

  open(setup: ProcessSetup): void {
    this.#count = setup.valueState('count');
  }

  process({ amount, at }: RowOf<typeof SALE>, context: ProcessContext<RowOf<typeof TICK>>): void {
    this.#count.set((this.#count.get() ?? 0) + (amount ?? 0));
    if (amount === 0) context.emitTo('nothing', { at });
    context.setEventTimer((at ?? 0) + 10);
    context.setTimer(context.now + 1000);
  }

  onTimer({ isEventTime }: FiredTimer, context: ProcessContext<RowOf<typeof TICK>>): void {
    context.emit({ region: context.key['region'] as string, n: (this.#count.get() ?? 0) + (isEventTime ? 0 : 1000) });
  }
}

describe('code under test', () => {
  it.each(['none', 'after-every-event'] as const)('has state, timers and sides (restarts: %s)', async (restarts) => {
    const step = await testStep(
      SALE,
      (rows) => rows.keyBy('region').process('ticks', Ticks, { schema: TICK, sides: { nothing: { at: timestamp } } }),
      { time: 'at', sides: ['nothing'], nowMs: 5000, restarts },
    );
    await step.send({ region: 'a', amount: 2, at: 100 }, { region: 'b', amount: 0, at: 101 });
    await step.send({ region: 'a', amount: 3, at: 102 });
    expect(step.takeSide('nothing')).toEqual([{ at: 101 }]);
    await step.watermark(110);
    expect(step.take()).toEqual([{ region: 'a', n: 5 }]);
    await step.advanceTo(6000);
    expect(new Set(step.take())).toEqual(new Set([{ region: 'a', n: 1005 }, { region: 'b', n: 1000 }]));
    await step.restart(2);
    await step.finish();
    expect(new Set(step.take())).toEqual(new Set([{ region: 'a', n: 5 }, { region: 'b', n: 0 }]));
    await step.close();
  });

  it('may be functions of a row, and lookups that the test answers', async () => {
    const step = await testStep(
      { id: long },
      (rows) =>
        rows
          .filter('odd', ({ id }) => (id ?? 0) % 2 === 1)
          .lookup('names', {
            connector: 'http',
            with: { url: 'http://localhost/{id}' },
            on: { id: 'id' },
            schema: { name: string },
          })
          .map('told', ({ id, name }) => ({ text: `${id} ${name}` }), { text: string }),
      { lookups: { names: ({ id }) => (id === 3 ? [] : [{ name: `n${String(id)}` }]) } },
    );
    await step.send({ id: 1 }, { id: 2 }, { id: 3 });
    expect(step.take()).toEqual([{ text: '1 n1' }, { text: '3 null' }]);
    await step.close();
  });
});

const WHOLE: JobExport = (env) => {
  const sales = job('sales', { checkpoint: '10s' });
  const south = sales.source('south', { connector: 'datagen', schema: SALE, watermark: { field: 'at', delay: '1s' } });
  const north = sales.source('north', { connector: 'datagen', schema: SALE, watermark: 'at' });
  const all = south.union('all', [north]).filter('some', `amount > ${env.get('LEAST', '0')}`);
  const sums = all
    .keyBy('region')
    .window({ hop: { size: '20ms', slide: '10ms' }, lateness: '15ms' })
    .aggregate('sums', { sum: 'SUM(amount)', last: 'LAST(amount)', until: 'WINDOW_END' });
  all.keyBy('region').dedupe('firsts', {}).sink('first', { connector: 'print' });
  const topic = { topic: 't', brokers: 'b:1', key: ['region', 'until'], format: 'json' };
  return sums.sink('out', { connector: 'kafka', with: topic });
};

type Harness = Awaited<ReturnType<typeof testJob>>;

/** The same events each time; `between` is called after each. */
async function drive(harness: Harness, between: (event: number) => Promise<void> = async () => undefined) {
  let event = 0;
  for (let at = 100; at < 200; at += 5) {
    for (const source of at > 160 ? ['south'] : ['south', 'north']) {
      const late = at % 25 === 0 ? 12 : 0;
      await harness.send([{ region: `r${(at * 7) % 3}`, amount: at % 11, at: at - late }], source);
      await between(event++);
      await harness.watermark(at - (source === 'north' ? 3 : 0), source);
      await between(event++);
    }
    if (at === 160) await harness.finish('north');
    await between(event++);
  }
  await harness.finish();
  const outputs = ['out', 'first'].map((sink) => harness.changes(sink).map((each) => JSON.stringify(each)));
  await harness.close();
  return outputs;
}

describe('a whole job under test', () => {
  it('gives the same however often it is restarted, and in however many subtasks', async () => {
    const plain = await drive(await testJob(WHOLE));
    expect(plain[0]?.length).toBeGreaterThan(20);
    expect(plain[1]).toHaveLength(3);
    const settings = { restarts: 'after-every-event', parallelism: 2 } as const;
    const inOrder = (outputs: readonly (readonly string[])[]) => outputs.map((lines) => [...lines].sort());
    expect(inOrder(await drive(await testJob(WHOLE, settings)))).toEqual(inOrder(plain));
    const rescaled = await testJob(WHOLE);
    const counts = [3, 1, 2];
    const outputs = await drive(rescaled, async (event) => {
      if (event % 7 === 3) await rescaled.restart(counts[event % 3]);
    });
    expect(inOrder(outputs)).toEqual(inOrder(plain));
  });

  it('begins with what an earlier one remembers', async () => {
    const build = (): JobExport =>
      job('count')
        .source('rows', { connector: 'datagen', schema: { k: string } })
        .keyBy('k')
        .aggregate('n', { n: 'COUNT(*)' })
        .sink('out', { connector: 'print' });
    const first = await testJob(build());
    await first.send([{ k: 'a' }, { k: 'b' }, { k: 'a' }]);
    const snapshot = await first.snapshot();
    const second = await testJob(build(), { restore: snapshot, parallelism: 3 });
    await second.send([{ k: 'a' }, { k: 'b' }]);
    expect(second.take()).toEqual([
      { k: 'a', n: 3 },
      { k: 'b', n: 2 },
    ]);
    await Promise.all([first.close(), second.close()]);
  });

  it('takes variables, and refuses what cannot be', async () => {
    const harness = await testJob(WHOLE, { variables: { LEAST: '100' } });
    await harness.send([{ region: 'a', amount: 50, at: 1 }], 'south');
    await harness.finish();
    expect([...harness.take('out'), ...harness.take('first')]).toEqual([]);
    await expect(harness.send([], 'soth')).rejects.toThrow('there is no source soth, only south, north');
    await expect(harness.send([])).rejects.toThrow('say which source: south, north');
    await expect(harness.send([{}], 'south')).rejects.toThrow('the source south has ended');
    expect(() => harness.take()).toThrow('say which sink');
    await harness.close();
    expect(await codeOf(testJob({} as never))).toBe('MR-API-NOT-A-JOB');
  });
});
