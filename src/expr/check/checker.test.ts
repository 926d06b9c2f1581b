import { beforeAll, describe, expect, it } from '@jest/globals';
import { formatType, rowSchema, types } from '../../core/index.ts';
import { columnsOf, formatExpression, loadParser, parseAggregate, parseCondition, parseExpression } from '../index.ts';
import { testSchema } from '../test-schema.ts';
import type { Problem } from './problem.ts';

beforeAll(loadParser);

function shown(problems: readonly Problem[], text: string): string[] {
  return problems.map(
    (p) =>
      `${text.slice(p.offset, p.offset + p.length)}: ${p.message}${p.suggestion === null ? '' : ` [${p.suggestion}]`}`,
  );
}

function check(text: string): string[] {
  const parsed = parseExpression(text, testSchema);
  if ('problems' in parsed) return shown(parsed.problems, text);
  return [`${formatExpression(parsed.expression)} : ${formatType(parsed.expression.type)}`];
}

describe('types of expressions', () => {
  it.each([
    ['i + l', 'CAST(i AS long) + l : long'],
    ['i / 2', 'i / 2 : int'],
    ['i + 1.5', 'CAST(i AS decimal(10,0)) + 1.5 : decimal(12,1)'],
    ['f * i', 'f * CAST(i AS float) : float'],
    ['f + amount', 'CAST(f AS double) + CAST(amount AS double) : double'],
    ['d * 0.1', 'd * 0.1 : double'],
    ['amount * amount', 'amount * amount : decimal(21,4)'],
    ['amount / 3', 'amount / 3 : decimal(21,13)'],
    ['0.908 * l', '0.908 * CAST(l AS decimal(19,0)) : decimal(23,3)'],
    ['-2147483648', '-2147483648 : int'],
    ['2147483648', '2147483648 : long'],
    ['9223372036854775808', '9223372036854775808 : decimal(19,0)'],
    ['0.05', '0.05 : decimal(2,2)'],
    ['.5', '0.5 : decimal(1,1)'],
    ['1e3', '1000 : double'],
    ["ts > '2024-02-29'", "ts > TIMESTAMP '2024-02-29 00:00:00.000' : boolean"],
    ["dt = '2024-02-29'", "dt = DATE '2024-02-29' : boolean"],
    ['dt < ts', 'CAST(dt AS timestamp) < ts : boolean'],
    ['amount > 1', 'amount > 1.00 : boolean'],
    ['amount = 1.2345', 'CAST(amount AS decimal(12,4)) = 1.2345 : boolean'],
    ['amount > l', 'amount > CAST(l AS decimal(21,2)) : boolean'],
    [
      'CASE WHEN ok THEN i ELSE amount END',
      'CASE WHEN ok THEN CAST(i AS decimal(12,2)) ELSE CAST(amount AS decimal(12,2)) END : decimal(12,2)',
    ],
    ['COALESCE(nothing, NULL, 5)', 'COALESCE(nothing, NULL, 5) : int'],
    ['COALESCE(amount, 0)', 'COALESCE(amount, 0.00) : decimal(10,2)'],
    ['IF(ok, NULL, dt)', 'CASE WHEN ok THEN NULL ELSE dt END : date'],
    ['i NOT IN (1, NULL)', 'NOT (i IN (1, NULL)) : boolean'],
    ['region || i', 'CONCAT_OP(region, CAST(i AS string)) : string'],
    ['CONCAT(region, amount)', 'CONCAT(region, CAST(amount AS string)) : string'],
    ['ARRAY[1, 2.5]', 'ARRAY(1.0, 2.5) : array<decimal(2,1)>'],
    ["MAP('a', i, 'b', l)", "MAP('a', CAST(i AS long), 'b', l) : map<string, long>"],
    ['ROW(i, region)', 'ROW(i, region) : row<f0 int, f1 string>'],
    ["ts - INTERVAL '1' DAY", 'TIMESTAMP_ADD(ts, -86400000) : timestamp'],
    ["dt + INTERVAL '1' HOUR", 'TIMESTAMP_ADD(CAST(dt AS timestamp), 3600000) : timestamp'],
    ["dt + INTERVAL '1 month 2 days'", 'DATE_ADD(DATE_ADD_MONTHS(dt, 1), 2) : date'],
    ['CAST(region AS varchar(3))', 'LEFT(region, 3) : string'],
    ['CAST(NULL AS decimal(5,2))', 'NULL : decimal(5,2)'],
    ['TIMESTAMPADD(hour, 1, ts)', "TIMESTAMPADD('HOUR', 1, ts) : timestamp"],
    ['ROUND(amount, 1)', 'ROUND(amount, 1) : decimal(10,1)'],
    ['GREATEST(i, l, 3)', 'GREATEST(CAST(i AS long), l, 3) : long'],
    ['ARRAY_CONTAINS(tags, NULL)', 'ARRAY_CONTAINS(tags, NULL) : boolean'],
    ['i IS DISTINCT FROM NULL', 'i IS DISTINCT FROM NULL : boolean'],
    ["doc -> 'a' ->> 'b'", "(doc -> 'a') ->> 'b' : string"],
  ])('%s', (text, expected) => {
    expect(check(text)).toEqual([expected]);
  });
});

describe('problems', () => {
  it.each([
    ['amuont > 1', 'amuont: there is no field `amuont`; did you mean `amount`? [amount]'],
    ['region = "EU"', '"EU": there is no field "EU"; text stands in single quotes: \'EU\' [\'EU\']'],
    ['region = 5', 'region = 5: string cannot be compared with int; CAST(… AS int) converts the other'],
    ["i = '5'", "i = '5': int cannot be compared with string; write the number without quotes"],
    ["ts > 'noon'", "'noon': 'noon' is no timestamp; one looks like '2024-02-29 12:34:56.789'"],
    [
      'doc = 5',
      'doc = 5: json cannot be compared with int; take a value out of the JSON first, with CAST, ->> or JSON_VALUE',
    ],
    [
      'ok > doc',
      'ok > doc: boolean cannot be compared with json; take a value out of the JSON first, with CAST, ->> or ' +
        'JSON_VALUE',
    ],
    ['tags > tags', 'tags > tags: values of type array<string> cannot be compared with >'],
    ['NOT i', 'i: an operand of NOT must be boolean, found int'],
    ['i AND ok', 'i: an operand of AND must be boolean, found int'],
    ['UPER(region)', 'UPER: there is no function UPER; did you mean UPPER(string)? [UPPER]'],
    ['UPPER(i)', 'i: UPPER does not take (int); it is UPPER(string)'],
    ['UPPER(region, 1)', 'UPPER: UPPER does not take 2 arguments; it is UPPER(string)'],
    [
      "SUBSTRING(region, 'a')",
      "'a': SUBSTRING does not take (string, string); it is SUBSTRING(string, int); SUBSTRING(string, int, int)",
    ],
    ['NVL(i, 1)', 'NVL: there is no function NVL; use COALESCE(a, b)'],
    [
      'NOW()',
      'NOW: NOW is not supported: an expression gives the same result when a record is processed again; use the ' +
        "record's own time (`metadata: {NAME: timestamp}`) or a field",
    ],
    [
      'CURRENT_TIMESTAMP',
      'CURRENT_TIMESTAMP: CURRENT_TIMESTAMP is not supported: an expression gives the same result when a record is ' +
        "processed again; use the record's own time (`metadata: {NAME: timestamp}`) or a field",
    ],
    ['SUM(i)', 'SUM: SUM is an aggregate: it stands alone in the `aggregate` of a step, not inside an expression'],
    ['UPPER(*)', 'UPPER: `*` stands only in COUNT(*)'],
    ['UPPER(DISTINCT region)', 'UPPER: DISTINCT and FILTER belong to aggregates only'],
    [
      'region + 1',
      'region: `+` does not take string and int; it is int + int; long + long; decimal + decimal; float + float; ' +
        'double + double; texts are joined with ||',
    ],
    [
      'ts - ts',
      'ts - ts: `-` does not take timestamp and timestamp; it is int - int; long - long; decimal - decimal; float ' +
        '- float; double - double; the time between two is TIMESTAMPDIFF(SECOND, from, to)',
    ],
    ["i + INTERVAL '1' DAY", 'i: an interval is added to a date, a time or a timestamp, not to int'],
    ["INTERVAL '1' DAY", "INTERVAL '1' DAY: an interval stands only beside + or - and a date, a time or a timestamp"],
    [
      "ts + INTERVAL 'x' DAY",
      "INTERVAL 'x' DAY: expected a whole number of DAYS between the quotes, as in INTERVAL '5' DAY",
    ],
    ['CAST(tags AS int)', 'CAST(tags AS int): array<string> cannot be cast to int'],
    [
      'CAST(i AS timestamp)',
      'CAST(i AS timestamp): int cannot be cast to timestamp; write TO_TIMESTAMP_LTZ(x, 3) for milliseconds, (x, ' +
        '0) for seconds',
    ],
    ["CAST('x' AS int)", 'CAST(\'x\' AS int): cannot cast "x" from string to int'],
    ["DATE '2024-02-30'", 'DATE \'2024-02-30\': cannot cast "2024-02-30" from string to date'],
    ['NULL', 'NULL: the type of NULL is not known here; write CAST(NULL AS type)'],
    ['COALESCE(NULL, NULL)', 'COALESCE(NULL, NULL): the type of NULL is not known here; write CAST(NULL AS type)'],
    ["CASE WHEN ok THEN 1 ELSE 'x' END", "'x': the results of CASE must be of one type; found int and string"],
    ["CASE i WHEN 'x' THEN 1 END", "'x': int cannot be compared with string; write the number without quotes"],
    ['IF(i, 1, 2)', 'i: the condition of IF must be boolean, found int'],
    ['IF(ok, 1)', 'IF: IF takes a condition and 2 results, not 2 arguments'],
    ['NULLIF(i)', 'NULLIF: NULLIF takes 2 arguments, not 1'],
    ['MAP(1)', 'MAP: MAP needs keys and values in turn: MAP(key, value, …)'],
    ['place.z', 'z: the row has no field `z`; did you mean `x`? [x]'],
    ['place.datetime', 'datetime: the row has no field `datetime`; did you mean `dateTime`? [dateTime]'],
    ['doc.a', "a: json has no field `a`; take it out of the JSON: ->> 'a'"],
    ['counts.k', "k: map<string, int> has no field `k`; a value of a map is taken with ['k']"],
    ['i.x', 'x: int has no field `x`'],
    ['i[1]', 'i[1: int has no elements; only arrays and maps have elements'],
    ['tags[0]', '0: elements of arrays are counted from 1'],
    ["tags['a']", "'a': the index of an array must be int, found string; CAST(… AS int) converts it"],
    ['counts[1]', '1: the key of this map must be string, found int; CAST(… AS string) converts it'],
    ['EXTRACT(CENTURIES FROM ts)', 'CENTURIES: EXTRACT knows no unit `CENTURIES`; did you mean CENTURY? [CENTURY]'],
    [
      'TIMESTAMPADD(region, 1, ts)',
      'region: TIMESTAMPADD needs a unit of time written out: one of MONTH, QUARTER, YEAR, MILLISECOND, SECOND, ' +
        'MINUTE, HOUR, DAY, WEEK',
    ],
    ["REGEXP_LIKE(region, '[')", "'[': the pattern: `[` is not a regular expression: Unterminated character class"],
    ["region LIKE 'a!b' ESCAPE '!'", "'a!b': LIKE: in the pattern 'a!b', ! stands before neither %, _ nor itself"],
    ["JSON_VALUE(doc, 'a.b')", "'a.b': a path begins with $, as in '$.a.b[0]', not 'a.b'"],
    [
      "DATE_FORMAT(ts, 'yyyy-QQ')",
      "'yyyy-QQ': the date format: 'yyyy-QQ': the letter Q has no meaning; quote text: 'Q'",
    ],
    ['1e400', '1e400: the number 1e400 does not fit into a double'],
    ['LEAST(doc, doc)', 'LEAST(doc, doc): LEAST does not take json: it has no order'],
    ['CAST(i AS strng)', 'strng: there is no type `strng`; did you mean `string`? [string]'],
  ])('%s', (text, expected) => {
    expect(check(text)).toEqual([expected]);
  });

  it('come all at once, in the order of the text', () => {
    expect(check("amuont > 1 AND regin = 'x' && FOO(i) = 1 OR CAST(i AS strng) = UPER(region)")).toEqual([
      'amuont: there is no field `amuont`; did you mean `amount`? [amount]',
      'regin: there is no field `regin`; did you mean `region`? [region]',
      '&&: `&&` is `AND` in SQL [AND]',
      'FOO: there is no function FOO; `millrace list functions` shows all',
      'strng: there is no type `strng`; did you mean `string`? [string]',
      'UPER: there is no function UPER; did you mean UPPER(string)? [UPPER]',
    ]);
  });

  it('name what a condition is', () => {
    const parsed = parseCondition('i + 1', testSchema);
    expect('problems' in parsed && shown(parsed.problems, 'i + 1')).toEqual([
      'i + 1: a condition must be boolean, found int',
    ]);
  });

  it('convert to an expected type where that is safe', () => {
    const parsed = parseExpression('i', testSchema, { expected: { kind: 'long' } });
    expect('expression' in parsed && formatExpression(parsed.expression)).toBe('CAST(i AS long)');
    const literal = parseExpression('NULL', testSchema, { expected: { kind: 'long' } });
    expect(literal).toEqual({ expression: { kind: 'literal', type: { kind: 'long' }, value: null } });
    expect('problems' in parseExpression('1.5', testSchema, { expected: { kind: 'int' } })).toBe(true);
  });
});

describe('aggregates', () => {
  function aggregate(text: string): string[] {
    const parsed = parseAggregate('out', text, testSchema);
    if ('problems' in parsed) return shown(parsed.problems, text);
    const { function: name, argument, distinct, filter, type } = parsed.aggregate;
    const parts = [
      name,
      argument === null ? '*' : formatExpression(argument),
      distinct ? 'distinct' : '',
      filter === null ? '' : formatExpression(filter),
      formatType(type),
    ];
    return [parts.filter((part) => part !== '').join(' ')];
  }

  it.each([
    ['COUNT(*)', 'count * long'],
    ['count(region)', 'count region long'],
    ['COUNT(DISTINCT region)', 'count region distinct long'],
    ['SUM(i)', 'sum i long'],
    ['SUM(l)', 'sum l long'],
    ['SUM(f)', 'sum f double'],
    ['SUM(amount)', 'sum amount decimal(38,2)'],
    ['AVG(i)', 'avg i int'],
    ['AVG(d)', 'avg d double'],
    ['AVG(amount)', 'avg amount decimal(38,6)'],
    ['MIN(region)', 'min region string'],
    ['MAX(ts)', 'max ts timestamp'],
    ['MAX(DISTINCT i)', 'max i int'],
    ['SUM(amount * 2) FILTER (WHERE i > 1)', 'sum amount * 2 i > 1 decimal(38,2)'],
    ['COUNT(*) FILTER (WHERE ok)', 'count * ok long'],
    ['SUM(*)', 'SUM: `*` stands only in COUNT(*), not in SUM'],
    ['SUM(region)', 'SUM(region): SUM takes numbers, found string'],
    ['SUM(DISTINCT i)', 'sum i distinct long'],
    ['AVG(DISTINCT amount)', 'avg amount distinct decimal(38,6)'],
    ['FIRST(region)', 'first region string'],
    ['first_value(doc)', 'first doc json'],
    ['LAST(tags)', 'last tags array<string>'],
    ['LAST_VALUE(i) FILTER (WHERE ok)', 'last i ok int'],
    ['ARRAY_AGG(region)', 'array-agg region array<string>'],
    ['ARRAY_AGG(tags)', 'array-agg tags array<array<string>>'],
    ['ARRAY_AGG(DISTINCT i)', 'array-agg i distinct array<int>'],
    ['LAST(DISTINCT i)', 'LAST: LAST takes one row of a group: DISTINCT makes no sense in it'],
    ['ARRAY_AGG(DISTINCT tags)', 'ARRAY_AGG: ARRAY_AGG(DISTINCT …) does not take array<string>'],
    ['ARRAY_AGG(*)', 'ARRAY_AGG: `*` stands only in COUNT(*), not in ARRAY_AGG'],
    ['FIRST()', 'FIRST: FIRST takes one argument, not 0'],
    ['FIRST(NULL)', 'NULL: the type of NULL is not known here'],
    ['MIN(doc)', 'MIN(doc): MIN does not take json: it has no order'],
    ['COUNT(DISTINCT tags)', 'COUNT: COUNT(DISTINCT …) does not take array<string>'],
    ['SUM(i, l)', 'SUM: SUM takes one argument, not 2'],
    ['SUM(SUM(i))', 'SUM: SUM is an aggregate: it stands alone in the `aggregate` of a step, not inside an expression'],
    [
      'SUM(i) / COUNT(*)',
      'SUM(i) / COUNT(*): an aggregate stands alone here; compute with its result in a `select` step behind this one',
    ],
    [
      'i + 1',
      'i + 1: an aggregate was expected: COUNT(*), COUNT(x), COUNT(DISTINCT x), SUM(x), MIN(x), MAX(x), AVG(x), ' +
        'FIRST(x), LAST(x), ARRAY_AGG(x), APPROX_COUNT_DISTINCT(x), APPROX_QUANTILE(x, p)',
    ],
    [
      'SUMM(i)',
      'SUMM(i): an aggregate was expected: COUNT(*), COUNT(x), COUNT(DISTINCT x), SUM(x), MIN(x), MAX(x), AVG(x), ' +
        'FIRST(x), LAST(x), ARRAY_AGG(x), APPROX_COUNT_DISTINCT(x), APPROX_QUANTILE(x, p); did you mean SUM? [SUM]',
    ],
    [
      'STDDEV_POP(i)',
      'STDDEV_POP(i): STDDEV_POP is not supported; aggregates are COUNT(*), COUNT(x), COUNT(DISTINCT x), SUM(x), ' +
        'MIN(x), MAX(x), AVG(x), FIRST(x), LAST(x), ARRAY_AGG(x), APPROX_COUNT_DISTINCT(x), APPROX_QUANTILE(x, p)',
    ],
    ['COUNT(*) FILTER (WHERE i)', 'i: the condition of FILTER must be boolean, found int'],
    ['COUNT(regin)', 'regin: there is no field `regin`; did you mean `region`? [region]'],
    ['COUNT(NULL)', 'NULL: the type of NULL is not known here'],
  ])('%s', (text, expected) => {
    expect(aggregate(text)).toEqual([expected]);
  });
});

describe('two sides', () => {
  const schema = rowSchema([
    { name: 'id', type: types.long },
    { name: 'amount', type: types.int },
    { name: 'id', type: types.long },
    { name: 'address', type: types.row([{ name: 'city', type: types.string }]) },
  ]);
  const sides = [
    { name: 'orders', start: 0, end: 2 },
    { name: 'late-people', start: 2, end: 4 },
  ];

  function columns(text: string): readonly number[] | string[] {
    const parsed = parseExpression(text, schema, { sides });
    return 'problems' in parsed ? shown(parsed.problems, text) : columnsOf(parsed.expression);
  }

  it.each([
    ['orders.id', [0]],
    ['late_people.id', [2]],
    ['"late-people".id', [2]],
    ['amount', [1]],
    ['address.city', [3]],
    ['late_people.address.city', [3]],
    ['orders.id = late_people.id AND amount > 1', [0, 1, 2]],
    ['id', ['id: `id` is on both sides: write `orders.id` or `late_people.id`']],
    ['orders.ammount', ['ammount: `orders` has no field `ammount`; did you mean `amount`? [amount]']],
    ['orders.city', ['city: `orders` has no field `city`; known are id, amount']],
    ['order.id', ['order: there is no field `order`; did you mean `orders`? [orders]']],
    ['nothing', ['nothing: there is no field `nothing`; known are orders, late_people, id, amount, address']],
    ['orders', ['orders: `orders` is a step: write `orders.FIELD`']],
  ])('%s', (text, expected) => {
    expect(columns(text)).toEqual(expected);
  });
});
