import { describe, expect, it } from '@jest/globals';
import { parseJobFile } from './parse-job-file.ts';
import { formatProblem } from './problem.ts';
import type { ParseJobFileOptions } from './parse-job-file.ts';

const variables = (name: string): string | undefined => ({ TOPIC: 'orders', SECRET: 'hunter2-xyz' })[name];
const parse = (text: string, limits: ParseJobFileOptions['limits'] = {}) =>
  parseJobFile(text, { fileName: 'job.yaml', variables, limits });

/** `line:column code` of every problem. */
function found(text: string, limits: ParseJobFileOptions['limits'] = {}): readonly string[] {
  return parse(text, limits).problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

const SOURCE = '  - id: in\n    source: kafka\n';
const SINK = '  - id: out\n    sink: print\n';
const job = (...steps: readonly string[]): string => `name: test\nsteps:\n${steps.join('')}`;

describe('parseJobFile: structure', () => {
  it('reads every verb', () => {
    const { spec, problems } = parse(
      job(
        '  - id: in\n    source: kafka\n    with: {topic: "${TOPIC}"}\n    schema:\n      a: decimal(10,2)\n' +
          '    metadata: {k: key}\n    errors: {to: dlq}\n',
        '  - id: f\n    filter: a > 1\n',
        '  - id: s\n    select:\n      b: a + 1\n    parallelism: 3\n',
        '  - id: m\n    flatMap: {c: "SPLIT(b, \',\')"}\n',
        '  - id: r\n    split: {big: c > 1, else: small}\n',
        '  - id: u\n    union: [big, small]\n',
        '  - id: t\n    key: [c]\n    aggregate: {n: COUNT(*)}\n',
        SINK,
      ),
    );
    expect(problems).toEqual([]);
    expect(spec?.steps.map(({ id, kind, inputs }) => [id, kind, inputs.map((i) => i.branch ?? i.stepId)])).toEqual([
      ['in', 'source', []],
      ['f', 'filter', ['in']],
      ['s', 'select', ['f']],
      ['m', 'flat-map', ['s']],
      ['r', 'split', ['m']],
      ['u', 'union', ['big', 'small']],
      ['t', 'aggregate', ['u']],
      ['out', 'sink', ['t']],
    ]);
    expect(spec?.steps[0]).toMatchObject({ errors: { kind: 'dead-letter', target: { text: 'dlq' } } });
    expect(spec?.steps[2]?.parallelism).toBe(3);
  });

  it('names five different mistakes in one file', () => {
    const text = [
      'name: five', // 1
      'paralelism: 2', // 2: unknown key
      'steps:',
      '  - id: in',
      '    source: kafka',
      '    schema: {amount: decimal(10,2)}', // 6: cut by YAML
      '  - id: large',
      '    filter: amount > 1',
      '    from: inn', // 9: unknown step
      '  - id: large', // 10: duplicate id
      '    window: {session: 1m, early: 1s}', // 11: not supported
      '    aggregate: {n: COUNT(*)}',
      '  - id: out',
      '    sink: ${MISSING}', // 14: missing variable
      '',
    ].join('\n');
    expect(found(text)).toEqual([
      '2:1 MR-JOB-UNKNOWN-KEY',
      '6:22 MR-JOB-YAML-CUT',
      '9:11 MR-JOB-UNKNOWN-STEP',
      '10:9 MR-JOB-DUPLICATE-ID',
      '11:27 MR-JOB-UNSUPPORTED',
      '14:11 MR-JOB-VARIABLE-MISSING',
    ]);
  });

  it.each([
    ['fliter', 'filter'],
    ['form', 'from'],
    ['group_by', 'key'],
    ['name', 'id'],
    ['connector', 'source'],
  ])('suggests for the key %s the name %s', (given, wanted) => {
    const { problems } = parse(job(SOURCE, `  - ${given}: x\n`, SINK));
    expect(problems.find(({ code }) => code === 'MR-JOB-UNKNOWN-KEY')?.suggestion).toBe(wanted);
  });

  it.each([
    ['checkpoint: soon\n', 'MR-JOB-BAD-OPTION'],
    ['checkpoint: 1ms\n', 'MR-JOB-BAD-OPTION'],
    ['checkpoint: [10s]\n', 'MR-JOB-WRONG-SHAPE'],
    ['checkpoint:\n', 'MR-JOB-WRONG-SHAPE'],
    ['checkpoint: {mode: exactly-once}\n', 'MR-JOB-MISSING-OPTION'],
    ['checkpoint: {interval: 10s, mode: exactly_once}\n', 'MR-JOB-BAD-OPTION'],
    ['checkpoint: {interval: 10s, retained: 0}\n', 'MR-JOB-BAD-OPTION'],
    ['checkpoint: {execution.checkpointing.interval: 10s}\n', 'MR-JOB-UNKNOWN-OPTION'],
    ['restart: allways\n', 'MR-JOB-BAD-VALUE'],
    ['restart: [none]\n', 'MR-JOB-WRONG-SHAPE'],
    ['restart:\n', 'MR-JOB-WRONG-SHAPE'],
    ['rescale: proactive\n', 'MR-JOB-BAD-VALUE'],
    ['rescale: reactive\n', 'MR-JOB-BAD-VALUE'],
    ['rescale: {min: 2}\n', 'MR-JOB-MISSING-KEY'],
    ['checkpoint: 1s\nrescale: {mode: reactive, min: 3, max: 2}\n', 'MR-JOB-BAD-VALUE'],
    ['checkpoint: 1s\nmaxParallelism: 4\nrescale: {mode: reactive, max: 8}\n', 'MR-JOB-BAD-VALUE'],
    ['restart: {delay: 1s}\n', 'MR-JOB-MISSING-KEY'],
    ['restart: {strategy: none, delay: 1s}\n', 'MR-JOB-UNKNOWN-OPTION'],
    ['restart: {strategy: exponential-delay, initial: 1m, max: 1s}\n', 'MR-JOB-BAD-OPTION'],
    ['restart: {strategy: exponential-delay, jitter: 2}\n', 'MR-JOB-BAD-OPTION'],
    ['restart: {strategy: failure-rate, failures: many}\n', 'MR-JOB-BAD-OPTION'],
    ['parallelism: two\n', 'MR-JOB-BAD-VALUE'],
    ['parallelism: 0\n', 'MR-JOB-BAD-VALUE'],
    ['parallelism: 200\n', 'MR-JOB-PARALLELISM'],
    ['maxParallelism: 40000\n', 'MR-JOB-BAD-VALUE'],
    ['parallelism: [1]\n', 'MR-JOB-WRONG-SHAPE'],
  ])('refuses %j', (line, code) => {
    expect(found(line + job(SOURCE, SINK)).map((text) => text.split(' ')[1])).toContain(code);
  });

  it('accepts what it honours', () => {
    expect(found(`restart: none\nparallelism: "3"\nmaxParallelism: 256\n${job(SOURCE, SINK)}`)).toEqual([]);
    expect(found(`restart: {strategy: none}\n${job(SOURCE, SINK)}`)).toEqual([]);
  });

  it.each([
    ['checkpoint: {interval: 10s, min-pause: 1s}\n', 'minPause'],
    ['checkpoint: {execution.checkpointing.interval: 10s}\n', 'interval'],
    ['checkpoint: {interval: 10s, mode: EXACTLY_ONCE}\n', 'exactly-once'],
    ['checkpointing: {interval: 10s}\n', 'checkpoint'],
    ['restart: {strategy: fixed-delay, retries: 3}\n', 'attempts'],
    ['restart: fixeddelay\n', 'fixed-delay'],
  ])('suggests for %j the name %s', (line, wanted) => {
    const { problems } = parse(line + job(SOURCE, SINK));
    expect(problems.map(({ suggestion }) => suggestion)).toEqual([wanted]);
  });

  it('reads how the state is saved, and what follows a failure', () => {
    const read = (lines: string) => {
      const { spec, problems } = parse(lines + job(SOURCE, SINK));
      expect(problems).toEqual([]);
      return { checkpoint: spec?.checkpoint, restart: spec?.restart };
    };
    const exponential = { kind: 'exponential-delay', initialMs: 1000, maxMs: 60_000, multiplier: 2, jitter: 0.1 };
    const byDefault = {
      checkpoint: {
        intervalMs: 10_000,
        mode: 'exactly-once',
        timeoutMs: 600_000,
        minPauseMs: 0,
        tolerableFailures: 0,
        retained: 2,
        alignmentTimeoutMs: 30_000,
      },
      restart: { ...exponential, resetMs: 600_000 },
    };
    expect(read('')).toEqual({ checkpoint: null, restart: { kind: 'none' } });
    expect(read('checkpoint: none\n')).toEqual({ checkpoint: null, restart: { kind: 'none' } });
    expect(read('checkpoint: 10s\n')).toEqual(byDefault);
    expect(read('checkpoint: {interval: 10s}\nrestart: exponential-delay\n')).toEqual(byDefault);
    expect(read('restart: {strategy: exponential-delay, max: 5m}\n').restart).toMatchObject({ maxMs: 300_000 });
    expect(read('checkpoint: 1s\nrestart: none\n').restart).toEqual({ kind: 'none' });
    expect(read('restart: fixed-delay\n').restart).toEqual({ kind: 'fixed-delay', attempts: 1, delayMs: 1000 });
    const rate = 'restart: {strategy: failure-rate, failures: 3, interval: 5m, delay: 2s}\n';
    const expected = { kind: 'failure-rate', failures: 3, intervalMs: 300_000, delayMs: 2000 };
    expect(read(rate).restart).toEqual(expected);
    const all = 'mode: at-least-once, timeout: 1m, minPause: 2s, tolerableFailures: 3, retained: 4';
    expect(read(`checkpoint: {interval: 1s, ${all}, alignmentTimeout: 5s}\n`).checkpoint).toEqual({
      intervalMs: 1000,
      mode: 'at-least-once',
      timeoutMs: 60_000,
      minPauseMs: 2000,
      tolerableFailures: 3,
      retained: 4,
      alignmentTimeoutMs: 5000,
    });
  });

  it('reads where checkpoints are kept, and refuses what is no place', () => {
    const place = (settings: string) => parse(`checkpoint: {interval: 1s, ${settings}}\n${job(SOURCE, SINK)}`);
    const wrong = (settings: string) => place(settings).problems.map(({ message }) => message);
    expect(place('storage: /mnt/state').spec?.checkpoint?.storage).toEqual({ location: '/mnt/state', s3: {} });
    const s3 = '{endpoint: "http://minio:9000", accessKeyId: me, secretAccessKey: hush, timeout: 5s}';
    expect(place(`storage: "s3://bucket/jobs", s3: ${s3}`).spec?.checkpoint?.storage).toEqual({
      location: 's3://bucket/jobs',
      s3: { endpoint: 'http://minio:9000', accessKeyId: 'me', secretAccessKey: 'hush', timeoutMs: 5000 },
    });
    expect(wrong('storage: "gs://bucket"')).toEqual([expect.stringContaining('begins with `gs://`')]);
    expect(wrong('s3: {secretAccessKey: hush}')).toEqual([expect.stringContaining('nothing without `accessKeyId`')]);
    expect(wrong('s3: {secretAccessKey: {a: hush}}').join()).not.toContain('hush');
    expect(wrong('s3: fast')).toHaveLength(1);
  });

  const laterVerbs = ['predict'];
  it.each(laterVerbs)('refuses the verb %s, and nothing else', (verb) => {
    expect(found(job(SOURCE, `  - id: x\n    ${verb}: {a: b}\n`, SINK))).toEqual(['6:5 MR-JOB-UNSUPPORTED']);
  });

  it.each([
    ['an id that is missing', job('  - source: kafka\n', SINK), ['3:5 MR-JOB-MISSING-KEY']],
    ['an id that is none', job('  - id: a b\n    source: kafka\n', SINK), ['3:9 MR-JOB-BAD-NAME']],
    ['no verb', job(SOURCE, '  - id: x\n', SINK), ['5:5 MR-JOB-VERB']],
    ['two verbs', job(SOURCE, '  - id: x\n    filter: a\n    select: {b: c}\n', SINK), ['7:5 MR-JOB-VERB']],
    ['no sink', job(SOURCE), ['2:1 MR-JOB-NO-SINK']],
    ['no source', job('  - id: x\n    filter: a\n', SINK), ['2:1 MR-JOB-NO-SOURCE', '3:9 MR-JOB-FROM']],
    [
      'an unused step',
      job(SOURCE, '  - id: x\n    filter: a\n', SINK.replace('print', 'print\n    from: in')),
      ['5:9 MR-JOB-UNUSED-STEP'],
    ],
    ['a step behind a sink', job(SOURCE, SINK, '  - id: x\n    sink: print\n'), ['7:9 MR-JOB-FROM']],
    [
      'a source that reads',
      job(
        SOURCE,
        '  - id: b\n    source: kafka\n    from: in\n',
        '  - id: o\n    sink: print\n    from: b\n',
        '  - id: p\n    sink: print\n    from: in\n',
      ),
      ['7:11 MR-JOB-FROM'],
    ],
    [
      'several inputs',
      job(SOURCE, '  - id: b\n    source: kafka\n', '  - id: o\n    sink: print\n    from: [in, b]\n'),
      ['5:9 MR-JOB-UNUSED-STEP', '9:16 MR-JOB-FROM'],
    ],
    ['a lonely union', job(SOURCE, '  - id: u\n    union: [in]\n', SINK), ['6:13 MR-JOB-FROM']],
    ['an empty aggregate', job(SOURCE, '  - id: u\n    aggregate: {}\n', SINK), ['6:16 MR-JOB-WRONG-SHAPE']],
    ['a filter without expression', job(SOURCE, '  - id: u\n    filter:\n', SINK), ['6:12 MR-JOB-WRONG-SHAPE']],
    ['a list for a mapping', job(SOURCE, '  - id: u\n    select: [a, b]\n', SINK), ['6:13 MR-JOB-WRONG-SHAPE']],
    ['steps that are none', 'name: a\nsteps: 3\n', ['2:8 MR-JOB-WRONG-SHAPE']],
    ['an empty file', '', ['1:1 MR-JOB-EMPTY']],
    ['only a comment', '# nothing\n', ['1:1 MR-JOB-EMPTY']],
    ['a list', '- a\n- b\n', ['1:1 MR-JOB-WRONG-SHAPE']],
    ['a bad errors policy', job('  - id: in\n    source: kafka\n    errors: skipp\n', SINK), ['5:13 MR-JOB-BAD-VALUE']],
    ['a bad name', job(SOURCE, SINK).replace('name: test', 'name: a b'), ['1:7 MR-JOB-BAD-NAME']],
  ] as const)('finds %s', (_what, text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it('finds every circle once, and says who is in it', () => {
    const text = job(
      '  - id: a\n    filter: x\n    from: c\n',
      '  - id: b\n    filter: x\n    from: a\n',
      '  - id: c\n    filter: x\n    from: b\n',
      SOURCE,
      SINK,
    );
    const cycles = parse(text).problems.filter(({ code }) => code === 'MR-JOB-CYCLE');
    expect(cycles).toHaveLength(1);
    expect(cycles[0]?.message).toContain('a → b → c → a');
  });

  it('lets a branch of a split be a later step, or a new name', () => {
    const branches = job(
      SOURCE,
      '  - id: route\n    split: {big: a > 1, else: rest}\n',
      '  - id: big\n    sink: print\n',
      '  - id: others\n    sink: print\n    from: rest\n',
    );
    const { spec, problems } = parse(branches);
    expect(problems).toEqual([]);
    expect(spec?.steps[2]?.inputs).toMatchObject([{ stepId: 'route', branch: 'big' }]);
    expect(spec?.steps[3]?.inputs).toMatchObject([{ stepId: 'route', branch: 'rest' }]);
  });

  it.each([
    ['names the split itself', '  - id: o\n    sink: print\n    from: route\n', '9:11 MR-JOB-FROM'],
    ['leaves from out behind a split', '  - id: o\n    sink: print\n', '7:9 MR-JOB-FROM'],
  ])('refuses a step that %s', (_what, step, expected) => {
    expect(found(job(SOURCE, '  - id: route\n    split: {big: a > 1}\n', step))).toContain(expected);
  });
});

describe('parseJobFile: YAML', () => {
  it.each([
    ['a type cut at its comma', '    schema: {a: decimal(10,2), b: int}\n', '5:17', '"decimal(10,2)"'],
    ['a nested type', '    schema: {a: map<string, row<x int, y int>>}\n', '5:17', '"map<string, row<x int, y int>>"'],
    ['a variable in {…}', '    with: {topic: ${TOPIC}, format: json}\n', '5:19', '"${TOPIC}"'],
    ['an element', '    with: {topic: a[1], format: json}\n', '5:19', '"a[1]"'],
  ])('recognises %s', (_what, line, place, suggestion) => {
    const { problems } = parse(job(SOURCE + line, SINK));
    expect(problems.map(({ line: l, column, code, suggestion: s }) => [`${l}:${column}`, code, s])).toEqual([
      [place, 'MR-JOB-YAML-CUT', suggestion],
    ]);
  });

  it.each([
    ["a function's comma", "flatMap: {word: SPLIT(line, ' ')}", '6:21', "SPLIT(line, ' ')"],
    ['a brace in quotes', "select: {w: a || '}', v: b}", '6:17', "a || '}'"],
    ['a comment', "filter: name = 'a #1'", '6:13', "name = 'a #1'"],
    ['a colon', "filter: name = 'a: b'", '6:13', "name = 'a: b'"],
    ['a quote at the beginning', "filter: 'a' = name", '6:13', "'a' = name"],
    ['a percent sign', 'filter: %a', '6:13', '%a'],
    ['a greater sign at the beginning', 'filter: > 5', '6:13', '> 5'],
    ['a quote that never closes', 'filter: "a = 1', '6:13', 'a = 1'],
  ])('reads on behind %s', (_what, line, place, meant) => {
    const text = job(SOURCE, `  - id: x\n    ${line}\n`, '  - id: y\n    filter: b\n    frm: x\n', SINK);
    const { problems } = parse(text);
    expect(problems.map(({ line: l, column, code }) => `${l}:${column} ${code}`)).toEqual([
      `${place} MR-JOB-YAML-CUT`,
      '9:5 MR-JOB-UNKNOWN-KEY',
    ]);
    expect(problems[0]?.suggestion).toContain(meant);
  });

  it('reads on behind a comment in a value of several lines', () => {
    const filter = "  - id: x\n    filter: a > 1\n      AND name = 'x #1'\n      AND b\n";
    const { problems, spec } = parse(job(SOURCE, filter, '  - id: y\n    filter: b\n    frm: x\n', SINK));
    expect(problems.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
      '6:13 MR-JOB-YAML-CUT',
      '11:5 MR-JOB-UNKNOWN-KEY',
    ]);
    expect(problems[0]?.suggestion).toBe(`"a > 1 AND name = 'x #1' AND b"`);
    expect(spec?.steps[1]).toMatchObject({ predicate: { text: "a > 1\n      AND name = 'x #1'\n      AND b" } });
  });

  it('lets a comment be a comment and quotes be quotes', () => {
    const text = job(SOURCE, "  - id: x\n    filter: name = 'a' # it's fine\n", SINK);
    expect(found(text)).toEqual([]);
    expect(found(job(SOURCE, '  - id: x\n    select: {a: "f(a, b)", b: \'g(a, "x")\', c: [1]}\n', SINK))).toEqual([
      '6:47 MR-JOB-WRONG-SHAPE',
    ]);
  });

  it.each([
    ['a tab', job(SOURCE, '\t- id: x\n', SINK), '5:1 MR-JOB-YAML'],
    ['a line that is not YAML', job(SOURCE, '   bad\n', SINK), '5:1 MR-JOB-YAML'],
    ['two documents', `${job(SOURCE, SINK)}---\na: b\n`, '8:1 MR-JOB-YAML'],
    ['an unknown alias', job(SOURCE, '  - id: x\n    filter: *a\n', SINK), '6:13 MR-JOB-YAML'],
    ['a tag', job(SOURCE, '  - id: x\n    filter: !!js a\n', SINK), '6:18 MR-JOB-YAML-FEATURE'],
    ['a merge key', `${job(SOURCE, SINK)}<<: {a: b}\n`, '8:1 MR-JOB-YAML-FEATURE'],
    ['a number as a name', job(SOURCE, '  - id: x\n    select: {1: a}\n', SINK), '6:14 MR-JOB-YAML-KEY'],
    ['a list as a name', job(SOURCE, '  - id: x\n    select: {[a]: a, b: c}\n', SINK), '6:14 MR-JOB-YAML-KEY'],
    ['a name twice', job(SOURCE, '  - id: x\n    filter: a\n    filter: b\n', SINK), '7:5 MR-JOB-DUPLICATE-KEY'],
  ])('refuses %s, and finds what is behind it', (_what, text, expected) => {
    const broken = text.replace('sink: print', 'sink: print\n    wiht: {}');
    const problems = found(broken);
    expect(problems).toContain(expected);
    expect(problems.some((problem) => problem.endsWith('MR-JOB-UNKNOWN-KEY'))).toBe(true);
  });

  it('follows aliases, but not into themselves and not without end', () => {
    const aliased = job(
      '  - id: in\n    source: kafka\n    with: &w {a: b}\n',
      '  - id: out\n    sink: print\n    with: *w\n',
    );
    expect(found(aliased)).toEqual([]);
    expect(found(job(SOURCE, '  - id: x\n    select: &a {b: *a}\n', SINK))).toContain('6:20 MR-JOB-YAML');
    const levels = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
    expect(found(`a0: &a0 [x, x]\n${levels.join('\n')}\n`).join()).toContain('MR-JOB-LIMIT');
  });

  it.each([
    ['the size', { 'job-file.max-size': 10 }, job(SOURCE, SINK)],
    ['the number of steps', { 'job-file.max-steps': 1 }, job(SOURCE, SINK)],
    ['the depth', {}, `a: ${'['.repeat(100)}${']'.repeat(100)}`],
    ['the depth of blocks', {}, Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    [
      'the length of an expression',
      { 'job-file.max-expression-length': 5 },
      job(SOURCE, '  - id: x\n    filter: a > 10\n', SINK),
    ],
    ['the length of a name', { 'job-file.max-name-length': 3 }, job(SOURCE, SINK)],
    ['the number of fields', { 'job-file.max-fields': 1 }, job(SOURCE, '  - id: x\n    select: {a: b, c: d}\n', SINK)],
    ['the number of values', { 'job-file.max-values': 5 }, job(SOURCE, SINK)],
  ])('limits %s', (_what, limits, text) => {
    expect(found(text, limits).join()).toContain('MR-JOB-LIMIT');
  });

  it('reports no more problems than the limit', () => {
    const text = job(...Array.from({ length: 300 }, (_, i) => `  - id: s${i}\n    foo${i}: x\n`));
    expect(found(text)).toHaveLength(200);
  });

  it('counts columns without a byte order mark, and lines with any line break', () => {
    expect(found('\ufeffnome: x\nsteps: 1\n')).toEqual(['1:1 MR-JOB-UNKNOWN-KEY', '2:8 MR-JOB-WRONG-SHAPE']);
    const lines = job(SOURCE, '  - id: x\n    filtr: a\n', SINK);
    expect(found(lines.replaceAll('\n', '\r\n'))).toEqual(['6:5 MR-JOB-UNKNOWN-KEY']);
  });

  it('reads a numeric text as it is written', () => {
    const { spec } = parse(job('  - id: in\n    source: kafka\n    errors: {to: 007}\n', SINK));
    expect(spec?.steps[0]).toMatchObject({ errors: { target: { text: '007' } } });
  });
});

describe('parseJobFile: variables', () => {
  it('never shows the value of a variable', () => {
    const text = job(
      '  - id: ${SECRET}x y\n    source: kafka\n    errors: ${SECRET}\n',
      '  - id: out\n    sink: print\n    from: ${SECRET}\n    parallelism: ${SECRET}\n',
    ).replace('name: test', 'name: ${SECRET} a\nrestart: ${SECRET}');
    const { problems } = parse(text);
    expect(problems.length).toBeGreaterThanOrEqual(6);
    for (const problem of problems) expect(formatProblem(problem)).not.toContain('hunter2');
    expect(problems.map(formatProblem).join('\n')).toContain('${SECRET}');
  });

  it('reports a missing one once, at its place', () => {
    const text = job(SOURCE, '  - id: x\n    filter: a > ${LIMIT} AND b < ${LIMIT}\n', SINK);
    expect(found(text)).toEqual(['6:17 MR-JOB-VARIABLE-MISSING', '6:34 MR-JOB-VARIABLE-MISSING']);
  });
});
