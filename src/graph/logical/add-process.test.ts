import { describe, expect, it } from '@jest/globals';
import { compileFake, graphsOf, jobOf, problemsOf, timedJobOf } from '../fixtures/compile-fake.ts';
import { explainJobAsText } from '../explain/explain-job.ts';
import { fakeCatalog } from '../fixtures/fake-catalog.ts';
import { exportedNames, fileReference, lacksExport } from './step-code.ts';

const CODE = `  - id: p
    process: ./fraud.ts#Detector
    key: [s, a]
    schema: {who: string, n: long}
    longs: bigint
    sides:
      odd: {a: long}
  - id: odd
    sink: print
  - id: tail
    from: p
    filter: n > 1
`;

/** The step stands on line 8, its verb on line 9. */
const step = (settings: string): string => jobOf(`  - id: p\n${settings}`);

describe('process', () => {
  it('reads all fields of rows that meet by key, and sends rows aside', async () => {
    const text = timedJobOf(CODE);
    const { jobGraph, optimised } = await graphsOf(text, { parallelism: 2 });
    const planned = optimised.nodes.find(({ id }) => id === 'p');
    expect(planned).toMatchObject({ kind: 'process', keys: [2, 0], inputFields: 8 });
    const nodes = jobGraph.vertices.flatMap(({ chain }) => chain);
    const node = nodes.find(({ kind }) => kind === 'process');
    expect(node).toMatchObject({
      stepId: 'p',
      code: { module: 'file:///fraud.ts', name: 'Detector', step: null },
      role: 'process',
      longs: 'bigint',
      sides: [{ name: 'odd', schema: { fields: [{ name: 'a', type: { kind: 'long' } }] } }],
      hasEventTime: true,
    });
    expect(jobGraph.edges.map(({ side, exchange }) => [side, exchange.kind])).toEqual([
      [undefined, 'hash'],
      ['odd', 'forward'],
      [undefined, 'forward'],
    ]);
    const explained = explainJobAsText(jobGraph, fakeCatalog);
    expect(explained).toContain('  process p\n      fraud.ts#Detector\n      key s, a\n      longs as bigint\n');
    expect(explained).toContain('forward, side odd');
  });

  it('is the code of a module where a job is made by one: of functions per row, too', async () => {
    const roles = new Map([['p', 'filter'], ['m', 'map']] as const);
    const code = { module: 'file:///job.ts', name: 'default', roles };
    const ofJob = "    process: 'of a job'\n";
    const text = jobOf(`  - id: p\n${ofJob}  - id: m\n${ofJob}    schema: {x: int}\n`);
    const { jobGraph } = await graphsOf(text, { code });
    const nodes = jobGraph.vertices.flatMap(({ chain }) => chain).filter(({ kind }) => kind === 'process');
    expect(nodes).toMatchObject([
      { role: 'filter', code: { module: 'file:///job.ts', name: 'default', step: 'p' }, hasEventTime: false },
      { role: 'map', code: { step: 'm' }, output: { fields: [{ name: 'x', type: { kind: 'int' } }] } },
    ]);
  });

  const XS = '    process: ./f.ts#F\n    schema: {x: int}\n';
  it.each([
    ['no export', '    process: ./f.ts\n    schema: {x: int}\n', ['9:14 MR-JOB-CODE']],
    ['a bare name', '    process: fraud#F\n    schema: {x: int}\n', ['9:14 MR-JOB-CODE']],
    ['an export that is no name', '    process: ./f.ts#a b\n    schema: {x: int}\n', ['9:14 MR-JOB-CODE']],
    ['no schema', '    process: ./f.ts#F\n', ['9:5 MR-JOB-MISSING-KEY']],
    ['an unknown type', '    process: ./f.ts#F\n    schema: {x: itn}\n', ['10:17 MR-JOB-TYPE']],
    ['a key that is none', `${XS}    key: [ss]\n`, ['11:11 MR-JOB-UNKNOWN-FIELD']],
    ['wrong longs', `${XS}    longs: text\n`, ['11:12 MR-JOB-BAD-OPTION']],
    ['a side that nobody reads', `${XS}    sides: {y: {z: int}}\n`, ['11:13 MR-JOB-UNUSED-STEP']],
    ['a side without fields', `${XS}    sides: {out: {}}\n`, ['8:9 MR-JOB-UNUSED-STEP', '11:18 MR-JOB-WRONG-SHAPE']],
  ])('is refused with %s', async (_what, settings, expected) => {
    expect(await problemsOf(step(settings))).toEqual(expected);
  });

  it('is refused behind rows that take others back', async () => {
    const text = jobOf('  - id: t\n    topN: {by: a, n: 1}\n  - id: p\n    process: ./f.ts#F\n    schema: {x: int}\n');
    expect(await problemsOf(text)).toEqual(['11:5 MR-JOB-CHANGELOG']);
  });

  it.each([
    [null, 'there is no file ./fraud.ts', null],
    ['export class Detectr {}', './fraud.ts has no export `Detector`', 'Detectr'],
    ['export { x as Detector } from "./x.ts"', null, null],
    ['export * from "./x.ts"', null, null],
  ])('looks for its export without running it: %s', async (file, problem, suggestion) => {
    const findCode = (path: string) => Promise.resolve({ url: `file:///jobs/${path}`, text: file });
    const { problems } = await compileFake(timedJobOf(CODE), { findCode });
    expect(problems.map(({ message, suggestion: nearest }) => [message, nearest])).toEqual(
      problem === null ? [] : [[problem, suggestion]],
    );
  });

  it('knows a reference and an export when it sees one', () => {
    expect(fileReference(' ../a b/c.ts#default ')).toEqual({ path: '../a b/c.ts', name: 'default' });
    const others = ['./a.ts#', 'a.ts#b', '#b', './a.ts#b#c', './a.ts#1'];
    expect(others.filter((text) => fileReference(text) !== null)).toEqual([]);
    const text = `export const a = 1; export async function b() {}
export abstract class C {}
export default class {}`;
    expect(exportedNames(text)).toEqual(['a', 'b', 'C']);
    expect(['a', 'C', 'd', 'lass'].map((name) => lacksExport(text, name))).toEqual([false, false, true, true]);
  });
});
