import { describe, expect, it } from '@jest/globals';
import { formatType } from '../../core/index.ts';
import { formatExpression } from '../../expr/index.ts';
import { compileFake, graphsOf, problemsOf } from '../fixtures/compile-fake.ts';
import type { LogicalGraph, LogicalJoin } from './logical-graph.ts';

const TIMED = '    watermark: ts\n';

/** The join's verb stands on line 15, its block in flow style. */
function joining(join: string, { right = TIMED, behind = '' } = {}): string {
  return [
    'name: test',
    'steps:',
    '  - id: orders',
    '    source: kafka',
    '    with: {topic: o, format: json}',
    '    schema: {id: long, customer: int, amount: "decimal(10,2)", tags: array<string>, ts: timestamp}',
    '    watermark: ts',
    '  - id: late-people',
    '    source: kafka',
    '    with: {topic: p, format: json}',
    '    schema: {id: long, name: string, worth: "decimal(12,2)", ts: timestamp}',
    `${right}  - id: j`,
    '    from: [orders, late-people]',
    `    join: ${join}`,
    `${behind}  - id: out`,
    '    sink: print',
    '',
  ].join('\n');
}

const ON = 'on: orders.customer = late_people.id';

async function graphOf(join: string): Promise<{ readonly node: LogicalJoin; readonly logical: LogicalGraph }> {
  const { logical } = await graphsOf(joining(join));
  const node = logical.nodes.find(({ kind }) => kind === 'join');
  if (node?.kind !== 'join') throw new Error('no join');
  return { node, logical };
}

const leaving = (logical: LogicalGraph) => logical.edges.find(({ to }) => to === 'out')?.stream;
const names = (logical: LogicalGraph) => leaving(logical)?.schema.fields.map(({ name }) => name);

describe('joins', () => {
  it('are spread by the equalities of `on`, computed in front where they are no fields', async () => {
    const on = 'on: "UPPER(name) = CAST(orders.id AS string) AND late_people.id = customer AND amount > worth"';
    const { node, logical } = await graphOf(`{${on}}`);
    const select = (id: string) => {
      const found = logical.nodes.find((each) => each.id === id);
      return found?.kind === 'select' ? found.fields.map(({ expression }) => formatExpression(expression)) : null;
    };
    const computed = ['CAST(id AS string)', 'CAST(customer AS long)'];
    expect(select('j.left')).toEqual(['id', 'customer', 'amount', 'tags', 'ts', ...computed]);
    expect(select('j.right')).toEqual(['id', 'name', 'worth', 'ts', 'UPPER(name)']);
    expect([node.leftKeys, node.rightKeys, node.leftFields]).toEqual([[5, 6], [4, 0], 7]);
    expect(node.condition === null ? null : formatExpression(node.condition)).toContain('amount');
    const all = logical.edges.filter(({ to }) => to === 'j');
    const keyTypes = all.map(({ stream, input }) =>
      (input === 0 ? node.leftKeys : node.rightKeys).map((key) => formatType(stream.schema.fields[key]?.type as never)),
    );
    expect(keyTypes[0]).toEqual(keyTypes[1]);
    // What was computed does not leave.
    expect(names(logical)).toEqual([
      'orders_id', 'customer', 'amount', 'tags', 'orders_ts', 'late-people_id', 'name', 'worth', 'late-people_ts',
    ]);
  });

  it('of plain fields of one type need nothing in front or behind', async () => {
    const { logical, node } = await graphOf('{on: orders.id = late_people.id}');
    expect(logical.nodes.map(({ id }) => id)).toEqual(['orders', 'late-people', 'j', 'out']);
    expect(node).toMatchObject({ leftKeys: [0], rightKeys: [0], condition: null, bounds: null, ttlMs: null });
  });

  it('compare decimals of different precision as one type', async () => {
    const { logical, node } = await graphOf('{on: amount = worth}');
    const types = logical.edges
      .filter(({ to }) => to === 'j')
      .map(({ stream, input }) => stream.schema.fields[(input === 0 ? node.leftKeys : node.rightKeys)[0] ?? -1]?.type);
    expect(types).toEqual([types[1], types[1]]);
  });

  it.each([
    ['inner', 'append', 9],
    ['left', 'retract', 9],
    ['right', 'retract', 9],
    ['full', 'retract', 9],
    ['semi', 'append', 5],
    ['anti', 'retract', 5],
  ])('of the type %s without bounds emit a stream that is %s', async (type, changelog, fieldCount) => {
    const { logical } = await graphOf(`{type: ${type}, ${ON}}`);
    const stream = leaving(logical);
    expect([stream?.changelog, stream?.schema.fields.length, stream?.hasEventTime]).toEqual([
      changelog,
      fieldCount,
      false,
    ]);
  });

  it.each([
    ['within: 10m', { kind: 'interval', beforeMs: 600_000, afterMs: 600_000 }],
    ['within: {before: 1m}', { kind: 'interval', beforeMs: 60_000, afterMs: 0 }],
    ['within: {before: 1m, after: 5s}', { kind: 'interval', beforeMs: 60_000, afterMs: 5000 }],
    ['window: {tumble: 1h}', { kind: 'window', sizeMs: 3_600_000, offsetMs: 0 }],
    ['window: {tumble: {size: 1d, offset: 6h}}', { kind: 'window', sizeMs: 86_400_000, offsetMs: 21_600_000 }],
    ['temporal: true', { kind: 'temporal' }],
  ])('with %s only add rows, which have a time', async (bounds, expected) => {
    const { node, logical } = await graphOf(`{type: left, ${ON}, ${bounds}}`);
    expect(node.bounds).toEqual(expected);
    expect(leaving(logical)).toMatchObject({ changelog: 'append', hasEventTime: true });
  });

  it('let out what `select` says, of the left alone where only that leaves', async () => {
    const { logical } = await graphOf(`{${ON}, select: {who: name, id: orders.id, more: amount + worth}}`);
    expect(names(logical)).toEqual(['who', 'id', 'more']);
    const semi = joining(`{type: semi, ${ON}, select: {id: id, who: name}}`);
    const { problems } = await compileFake(semi);
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-EXPRESSION']);
    expect(problems[0]?.message).toContain('there is no field `name`');
  });

  it('keep unique what meets at most one row', async () => {
    const first = '  - id: first\n    from: late-people\n    dedupe: {key: [id]}\n';
    const text = joining(`{${ON.replace('late_people', 'first')}}`, { right: `${TIMED}${first}` });
    const { logical } = await graphsOf(text.replace('[orders, late-people]', '[orders, first]'));
    expect(leaving(logical)?.uniqueKeys).toEqual([]);
    const keyed = '  - id: once\n    from: orders\n    dedupe: {key: [id]}\n';
    const both = joining('{on: once.customer = first.id}', { right: `${TIMED}${first}${keyed}` });
    const unique = await graphsOf(both.replace('[orders, late-people]', '[once, first]'));
    expect(leaving(unique.logical)?.uniqueKeys).toEqual([[0]]);
  });

  it('look for versions in a stream that replaces rows by the key of the join', async () => {
    const last = '  - id: people\n    from: late-people\n    dedupe: {key: [id], keep: last}\n';
    const temporal = (on: string) =>
      joining(`{type: left, on: ${on}, temporal: true}`, { right: `${TIMED}${last}` })
        .replace('[orders, late-people]', '[orders, people]');
    const { logical } = await graphsOf(temporal('orders.customer = people.id'));
    expect(leaving(logical)?.changelog).toBe('append');
    const { problems } = await compileFake(temporal('orders.amount = people.worth'));
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-CHANGELOG']);
    expect(problems[0]?.expected).toContain('exactly id of the right side');
  });

  it('run as chains of their own, behind hash exchanges by the keys', async () => {
    const text = joining('{on: orders.id = late_people.id}');
    const { jobGraph } = await graphsOf(text, { parallelism: 2 });
    expect(jobGraph.vertices.map(({ name }) => name)).toEqual(['orders', 'late-people', 'j -> out']);
    expect(jobGraph.edges.map(({ exchange }) => exchange)).toEqual([
      { kind: 'hash', keys: [0] },
      { kind: 'hash', keys: [0] },
    ]);
    expect(jobGraph.vertices[2]?.inputs).toEqual(jobGraph.edges.map(({ id }) => id));
    const [node] = jobGraph.vertices[2]?.chain ?? [];
    expect(node?.kind === 'join' && [node.left.fields.length, node.right.fields.length]).toEqual([5, 4]);
    const alone = await graphsOf(text);
    expect(alone.jobGraph.vertices.at(-1)?.name).toBe('j -> out');
  });

  it.each([
    ['no `on`', '{type: left}', ['15:5 MR-JOB-MISSING-OPTION']],
    ['no equality of both sides', '{on: orders.amount > late_people.worth}', ['15:16 MR-JOB-JOIN']],
    ['an equality of one side', '{on: orders.id = orders.customer}', ['15:16 MR-JOB-JOIN']],
    ['an ambiguous field', '{on: id = name}', ['15:16 MR-JOB-EXPRESSION']],
    ['a field that is none', '{on: orders.idd = late_people.id}', ['15:23 MR-JOB-EXPRESSION']],
    ['a type that is none', `{type: outer, ${ON}}`, ['15:18 MR-JOB-BAD-OPTION']],
    ['two sorts of bounds', `{${ON}, within: 1m, temporal: true}`, ['15:62 MR-JOB-JOIN']],
    ['a full temporal join', `{type: full, ${ON}, temporal: true}`, ['15:18 MR-JOB-JOIN']],
    ['a ttl within bounds', `{${ON}, within: 1m, ttl: 1h}`, ['15:62 MR-JOB-JOIN']],
    ['a hop', `{${ON}, window: {hop: {size: 1m, slide: 1s}}}`, ['15:59 MR-JOB-UNSUPPORTED']],
    ['an empty window', `{${ON}, window: {}}`, ['15:58 MR-JOB-WINDOW']],
    ['an empty within', `{${ON}, within: {}}`, ['15:50 MR-JOB-WRONG-SHAPE']],
    ['a within that is none', `{${ON}, within: soon}`, ['15:58 MR-JOB-BAD-OPTION']],
    ['an unknown setting', `{${ON}, withn: 1m}`, ['15:50 MR-JOB-UNKNOWN-OPTION']],
    ['text', 'orders', ['15:11 MR-JOB-WRONG-SHAPE']],
  ] as const)('with %s are refused', async (_what, join, expected) => {
    expect(await problemsOf(joining(join))).toEqual(expected);
  });

  it('need a time on both sides for bounds of time', async () => {
    const { problems } = await compileFake(joining(`{${ON}, within: 1m}`, { right: '' }));
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-EVENT-TIME']);
    expect(problems[0]?.message).toContain('those of `late-people` have none');
    expect(await problemsOf(joining(`{${ON}}`, { right: '' }))).toEqual([]);
  });

  it('read two steps', async () => {
    const problemsWith = async (from: string) =>
      problemsOf(joining(`{${ON}}`).replace('    from: [orders, late-people]\n', from));
    expect(await problemsWith('')).toContain('14:5 MR-JOB-FROM');
    expect(await problemsWith('    from: [orders]\n')).toContain('14:12 MR-JOB-FROM');
    expect(await problemsWith('    from: [orders, late-people, orders]\n')).toContain('14:33 MR-JOB-FROM');
  });

  const totals = '  - id: t\n    from: orders\n    key: [customer]\n    aggregate: {n: COUNT(*)}\n';
  const withTotals = (from: string, more = '') =>
    joining(`{on: t.customer = late_people.id${more}}`, { right: `${TIMED}${totals}` }).replace(
      '[orders, late-people]',
      from,
    );

  it('take rows back where those of an input are, and know the last ones of those that are replaced', async () => {
    const left = await graphsOf(withTotals('[t, late-people]', ', type: left'));
    expect(left.logical.nodes.find(({ kind }) => kind === 'normalise')).toMatchObject({ id: 'j.normalise', keys: [0] });
    expect(left.logical.nodes.find(({ kind }) => kind === 'join')).toMatchObject({ retracts: true });
    expect(leaving(left.logical)).toMatchObject({ changelog: 'retract', uniqueKeys: [], hasEventTime: false });
    const right = await graphsOf(withTotals('[late-people, t]'));
    expect(right.logical.nodes.map(({ id }) => id)).toContain('j.normalise1');
    // Each of the people meets one total at most, but nobody says that their ids are unique.
    expect(leaving(right.logical)).toMatchObject({ changelog: 'retract', uniqueKeys: [] });
    const again = await graphsOf(
      withTotals('[t, late-people]', ', type: anti').replace('  - id: out', '  - id: k\n    from: [j, t]\n    ' +
        'join: {on: j.customer = t.customer}\n  - id: out').replace("join: {on: j", "join: {select: {a: j.n}, on: j"),
    );
    const joins = again.jobGraph.vertices.flatMap(({ chain }) => chain.filter(({ kind }) => kind === 'join'));
    expect(joins).toMatchObject([{ retracts: true }, { retracts: true }]);
    expect(leaving((await graphOf(`{${ON}}`)).logical)).toMatchObject({ changelog: 'append' });
    expect((await graphOf(`{${ON}}`)).node).not.toHaveProperty('retracts');
  });

  it('forget keys whose rows may move when they are replaced', async () => {
    const once = (id: string, from: string, key: string) =>
      `  - id: ${id}\n    from: ${from}\n    dedupe: {key: [${key}], keep: last}\n`;
    const keysOf = async (leftKey: string, type: string) => {
      const steps = TIMED + once('l', 'orders', leftKey) + once('r', 'late-people', 'id');
      const text = joining(`{on: l.id = r.id, type: ${type}}`, { right: steps });
      return leaving((await graphsOf(text.replace('[orders, late-people]', '[l, r]'))).logical)?.uniqueKeys;
    };
    expect(await keysOf('customer', 'left')).toEqual([]);
    expect(await keysOf('customer', 'semi')).toEqual([]);
    expect(await keysOf('id', 'left')).toEqual([[0]]);
    expect(await keysOf('customer, id', 'semi')).toEqual([[1, 0]]);
  });

  it.each(['within: 1m', 'temporal: true', 'window: {tumble: 1m}'])(
    'do not take rows that are replaced or taken back where they have bounds: %s',
    async (bounds) => {
      const { problems } = await compileFake(withTotals('[t, late-people]', `, ${bounds}`));
      expect(problems.map(({ code }) => code)).toContain('MR-JOB-CHANGELOG');
    },
  );

  it('cannot forget what may be taken back', async () => {
    const { problems } = await compileFake(withTotals('[late-people, t]', ', ttl: 1h'));
    expect(problems.map(({ code }) => code)).toEqual(['MR-JOB-BAD-VALUE']);
  });

  it('say where names clash for good', async () => {
    const clash = joining(`{${ON}}`).replace('name: string', 'orders_id: string');
    expect(await problemsOf(clash)).toEqual(['15:5 MR-JOB-DUPLICATE-FIELD']);
    const select = joining(`{${ON}, select: {a: orders.id}}`).replace('name: string', 'orders_id: string');
    expect(await problemsOf(select)).toEqual([]);
  });
});
