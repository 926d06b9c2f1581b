import { describe, expect, it } from '@jest/globals';

import { array, boolean, decimal, job, long, string, timestamp, typed } from '../api/index.ts';
import type { BuiltJob, JobEnvironment, JobExport } from '../api/index.ts';
import type { ProcessContext, ProcessFunction, ProcessSetup, ValueState } from '../core/index.ts';
import { compileJobOrThrow, renderJobFile } from '../graph/index.ts';
import { catalog } from './catalog.ts';
import { runFake } from './fixtures/fake-context.ts';

const ORDERS = {
  connector: 'datagen',
  with: {
    count: 5,
    fields: { id: { kind: 'sequence' }, at: { kind: 'now' }, tags: { kind: 'constant', value: ['x'] } },
  },
  schema: { id: long, region: string, amount: decimal(10, 2), tags: array(string), at: timestamp },
  watermark: { field: 'at', delay: '5s' },
} as const;

const ORDERS_YAML = `  - id: orders
    source: datagen
    with: {count: 5, fields: {id: {kind: sequence}, at: {kind: now}, tags: {kind: constant, value: [x]}}}
    schema: {id: long, region: string, amount: "decimal(10,2)", tags: array<string>, at: timestamp}
    watermark: {field: at, delay: 5s}
`;

const orders = () => job('test').source('orders', ORDERS);

/** Per verb, a job in TypeScript and the same as a file. */
const CASES: Readonly<Record<string, { readonly made: BuiltJob; readonly yaml: string }>> = {
  'the settings of jobs and steps': {
    made: job('test', {
      parallelism: 2,
      maxParallelism: 64,
      checkpoint: { interval: '10s', mode: 'at-least-once' },
      restart: { strategy: 'fixed-delay', attempts: 3 },
    })
      .source('rows', {
        connector: 'datagen',
        with: { count: 3 },
        schema: { id: long },
        errors: 'skip',
        parallelism: 1,
      })
      .filter('some', "id <> 3 OR '${HOME}' = '$${'")
      .sink('out', { connector: 'print', parallelism: 1 }),
    yaml: `name: test
parallelism: 2
maxParallelism: 64
checkpoint: {interval: 10s, mode: at-least-once}
restart: {strategy: fixed-delay, attempts: 3}
steps:
  - {id: rows, source: datagen, with: {count: 3}, schema: {id: long}, errors: skip, parallelism: 1}
  - {id: some, filter: "id <> 3 OR '$\${HOME}' = '$$\${'"}
  - {id: out, sink: print, parallelism: 1}
`,
  },
  'select, flatMap and aggregate': {
    made: orders()
      .select('named', { region: 'region', twice: typed('amount * 2', decimal(12, 2)), tags: 'tags' })
      .flatMap('tagged', { tag: 'tags' })
      .keyBy('region', 'tag')
      .aggregate('totals', { n: 'COUNT(*)', most: 'MAX(twice)' })
      .sink('out', { connector: 'print' }),
    yaml: `name: test
steps:
${ORDERS_YAML}
  - {id: named, select: {region: region, twice: amount * 2, tags: tags}}
  - {id: tagged, flatMap: {tag: tags}}
  - {id: totals, key: [region, tag], aggregate: {n: COUNT(*), most: MAX(twice)}}
  - {id: out, sink: print}
`,
  },
  'windows, and rows that come too late for them': {
    made: (() => {
      const sums = orders()
        .keyBy('region')
        .window({ hop: { size: '1m', slide: '10s' }, lateness: '5s', late: 'too-late' })
        .aggregate('sums', { total: 'SUM(amount)', until: 'WINDOW_END' });
      sums.side('too-late').select('known', { id: 'id' }).sink('late', { connector: 'print' });
      return sums.sink('out', { connector: 'print' });
    })(),
    yaml: `name: test
steps:
${ORDERS_YAML}
  - id: sums
    key: [region]
    window: {hop: {size: 1m, slide: 10s}, lateness: 5s, late: too-late}
    aggregate: {total: SUM(amount), until: WINDOW_END}
  - {id: known, from: too-late, select: {id: id}}
  - {id: late, sink: print}
  - {id: out, from: sums, sink: print}
`,
  },
  'join, union, split': {
    made: (() => {
      const test = job('test');
      const a = test.source('orders', ORDERS);
      const paid = { order: long, when: timestamp };
      const b = test.source('paid', { connector: 'datagen', schema: paid, watermark: 'when' });
      const { large, rest } = a.split('sizes', { large: 'amount > 100' }, 'rest');
      const joined = large.union('most', [rest]).join('pairs', b, {
        type: 'left',
        on: 'most.id = paid.order',
        within: { before: '1m', after: '1h' },
        select: { id: 'id', late: typed('paid.when IS NULL', boolean) },
      });
      return joined.sink('out', { connector: 'print' });
    })(),
    yaml: `name: test
steps:
${ORDERS_YAML}
  - {id: paid, source: datagen, schema: {order: long, when: timestamp}, watermark: when}
  - {id: sizes, from: orders, split: {large: amount > 100, else: rest}}
  - {id: most, union: [large, rest]}
  - id: pairs
    from: [most, paid]
    join:
      type: left
      on: most.id = paid.order
      within: {before: 1m, after: 1h}
      select: {id: id, late: paid.when IS NULL}
  - {id: out, sink: print}
`,
  },
  lookup: {
    made: orders()
      .lookup('names', {
        connector: 'http',
        with: { url: 'http://localhost:1/{id}' },
        on: { id: 'id' },
        schema: { name: string },
        retry: { attempts: 2 },
        cache: 100,
        ordered: false,
      })
      .sink('out', { connector: 'print' }),
    yaml: `name: test
steps:
${ORDERS_YAML}
  - id: names
    lookup: http
    with: {url: "http://localhost:1/{id}"}
    on: {id: id}
    schema: {name: string}
    retry: {attempts: 2}
    cache: 100
    ordered: false
  - {id: out, sink: print}
`,
  },
  'dedupe and topN': {
    made: (() => {
      const firsts = orders().keyBy('id').dedupe('firsts', { ttl: '1h' });
      const prices = firsts.job;
      firsts.keyBy('region').topN('best', { by: ['amount desc', 'id'], n: 3, rank: 'place' }).sink('top', {
        connector: 'print',
      });
      return prices;
    })(),
    yaml: `name: test
steps:
${ORDERS_YAML}
  - {id: firsts, dedupe: {key: [id], ttl: 1h}}
  - {id: best, topN: {key: [region], by: [amount desc, id], n: 3, rank: place}}
  - {id: top, sink: print}
`,
  },
};

const options = { fileName: 'job', variables: () => undefined, catalog };

describe('a job in TypeScript', () => {
  it.each(Object.entries(CASES))('is the same as its file: %s', async (_, { made, yaml }) => {
    const { text } = renderJobFile(made.definition().document);
    expect(await compileJobOrThrow(text, options)).toEqual(await compileJobOrThrow(yaml, options));
  });
});

/** Runs commands on a module that exports this. */
function onModule(args: readonly string[], exported: JobExport | object, source = '') {
  return runFake(args, { files: { 'job.ts': source }, modules: { 'job.ts': { default: exported } } });
}

describe('commands take a module', () => {
  const made = job('numbers')
    .source('rows', {
      connector: 'datagen',
      with: { count: 3, fields: { id: { kind: 'sequence', start: 1 } } },
      schema: { id: long },
    })
    .filter('odd', 'id % 2 = 1')
    .sink('out', { connector: 'print' });

  it('as they take a file', async () => {
    expect(await onModule(['run', '-q', 'job.ts'], made)).toMatchObject({
      exitCode: 0,
      output: '{"id":1}\n{"id":3}\n',
      errors: '',
    });
    expect((await onModule(['lint', 'job.ts'], made)).output).toBe('job.ts: valid\n');
    expect((await onModule(['explain', 'job.ts'], made)).output).toContain('odd');
  });

  it('that is a function of its variables', async () => {
    const exported: JobExport = (env) =>
      job('numbers')
        .source('rows', { connector: 'datagen', with: { count: Number(env.get('COUNT')) }, schema: { id: long } })
        .select('named', { name: `'${env.get('NAME', 'nobody')}'` })
        .sink('out', { connector: 'print' });
    const { exitCode, output } = await onModule(['run', '-q', 'job.ts', '--set', 'COUNT=1'], exported);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '{"name":"nobody"}\n' });
    const missing = await onModule(['run', '-q', 'job.ts'], exported);
    expect(missing.exitCode).toBe(2);
    expect(missing.errors).toMatch(/job\.ts makes no job: .*`COUNT` is not set: pass `--set COUNT=value`/);
  });

  it.each([
    [{ default: 'job' }, 'its export `default` is an object, not a job'],
    [job('a').source('rows', { connector: 'datagen' }), 'is a stream (its `.job`, or what sink() returns, is the job)'],
    [() => 3 as never, 'is a function that returns a number, not a job'],
  ])('and say what it exports that is no job', async (exported, message) => {
    const { exitCode, errors } = await onModule(['run', 'job.ts'], exported);
    expect({ exitCode, errors }).toEqual({ exitCode: 2, errors: expect.stringContaining(message) });
  });

  it('and say where a mistake is', async () => {
    const bad = job('numbers')
      .source('rows', { connector: 'datagen', schema: { id: long } })
      .filter('some', 'di > 3')
      .select('named', { id: typed('id + 1', string) })
      .sink('out', { connector: 'prnt' });
    const lint = await onModule(['lint', 'job.ts'], bad);
    expect(lint.exitCode).toBe(2);
    // The calls are in this file, not in job.ts, so each problem stands at the call of its step.
    const form = /job-module\.test\.ts:(\d+):\d+: error (MR-[A-Z-]+): (.*)/g;
    const matches = [...lint.output.matchAll(form)];
    const found = matches.map(([, line, code, message]) => ({ line: Number(line), code, message }));
    const first = Math.min(...found.map(({ line }) => line));
    expect(found.map(({ line, code }) => [line - first, code])).toEqual([
      [0, 'MR-JOB-EXPRESSION'],
      [2, 'MR-JOB-UNKNOWN-CONNECTOR'],
    ]);
    expect(found[0]?.message).toMatch(/step `some`: .*`di`/);
  });

  it('and check the types that it states', async () => {
    const bad = job('numbers')
      .source('rows', { connector: 'datagen', schema: { id: long } })
      .select('named', { id: typed('id + 1', string) })
      .sink('out', { connector: 'print' });
    const { exitCode, output } = await onModule(['lint', 'job.ts'], bad);
    expect(exitCode).toBe(2);
    expect(output).toMatch(/MR-API-STATED-TYPE: .*`id` is of type long, not string as typed\(\) says/);
  });
});

describe('code of a module', () => {
  type Key = { readonly k: number | null };
  type Counted = Key & { readonly n: number };

  class Counting implements ProcessFunction<Key, Counted> {
    #n!: ValueState<number>;

    open(setup: ProcessSetup): void {
      this.#n = setup.valueState('n');
    }

    process({ k }: Key, context: ProcessContext<Counted>): void {
      const n = (this.#n.get() ?? 0) + 1;
      this.#n.set(n);
      if (n % 10 === 0) context.emit({ k, n });
      if (n === 1) context.emitTo('firsts', { k });
    }
  }

  const build = (env: JobEnvironment) => {
    const shift = Number(env.get('SHIFT', '0'));
    const counted = job('lambdas', { parallelism: 2 })
      .source('rows', {
        connector: 'datagen',
        with: { count: 100, fields: { id: { kind: 'sequence' } } },
        schema: { id: long },
      })
      .filter('even', ({ id }) => (id ?? 0) % 2 === 0)
      .flatMap('twice', ({ id }) => [{ k: (id ?? 0) % 5 }, { k: (id ?? 0) % 5 }], { k: long })
      .map('shifted', ({ k }) => ({ k: Number(k) + shift }), { k: long })
      .keyBy('k')
      .process('count', Counting, { schema: { k: long, n: long }, sides: { firsts: { k: long } } });
    counted.side('firsts').select('first', { first: 'k' }).sink('aside', { connector: 'print' });
    return counted.sink('out', { connector: 'print' });
  };

  it('runs in the slots', async () => {
    const { exitCode, output, errors } = await onModule(['run', '-q', 'job.ts', '--set', 'SHIFT=10'], build);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    const rows = output.trimEnd().split('\n');
    const keys = [10, 11, 12, 13, 14];
    const counts = keys.flatMap((k) => [10, 20].map((n) => `{"k":${k},"n":${n}}`));
    expect(rows.sort()).toEqual([...keys.map((first) => `{"first":${first}}`), ...counts].sort());
  });

  it('may be asked by lookups, and wait', async () => {
    const found = job('found', { parallelism: 2 })
      .source('rows', {
        connector: 'datagen',
        with: { count: 3, fields: { id: { kind: 'sequence' } } },
        schema: { id: long },
      })
      .lookup('names', async ({ key }) => (key === 1 ? null : { name: `n${String(key)}` }), {
        on: { key: 'id' },
        schema: { name: string },
      })
      .sink('out', { connector: 'print' });
    const { exitCode, output, errors } = await onModule(['run', '-q', 'job.ts'], found);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
    expect(output.trimEnd().split('\n').sort()).toEqual([
      '{"id":0,"name":"n0"}',
      '{"id":1,"name":null}',
      '{"id":2,"name":"n2"}',
    ]);
  });

  it('asks for variables before it runs', async () => {
    const late: JobExport = (env) =>
      job('late')
        .source('rows', { connector: 'datagen', with: { count: 1 }, schema: { id: long } })
        .filter('f', ({ id }) => id !== Number(env.get('LEAST', '0')))
        .sink('out', { connector: 'print' });
    const { exitCode, errors } = await onModule(['run', '-q', 'job.ts'], late);
    expect(exitCode).toBe(1);
    expect(errors).toContain('the variable `LEAST` is asked for by code that runs');
  });

  it('is not that of a job which differs each time', async () => {
    let times = 0;
    const differing: JobExport = () =>
      job('differs')
        .source('rows', { connector: 'datagen', with: { count: 1 }, schema: { id: long } })
        .filter(`step-${times++}`, () => true)
        .sink('out', { connector: 'print' });
    const { exitCode, errors } = await onModule(['run', '-q', 'job.ts'], differing);
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/MR-API-DIFFERENT-JOB: .*job\.ts makes another job each time/);
  });

  it('is told where it is made', async () => {
    const wrong = job('wrong')
      .source('rows', { connector: 'datagen', schema: { id: long } })
      .keyBy('id')
      .aggregate('n', { n: 'COUNT(*)' })
      .map('m', ({ n }) => ({ n }), { n: long })
      .sink('out', { connector: 'print' });
    const { exitCode, output } = await onModule(['lint', 'job.ts'], wrong);
    expect(exitCode).toBe(2);
    expect(output).toMatch(/job-module\.test\.ts:\d+:\d+: error MR-JOB-CHANGELOG: .*`m` reads rows/);
  });
});
