/**
 * The expressions that Apache Flink was asked, each over the one row of `fields`. A case is our spelling, and Flink's
 * where the two differ beyond the names of types; null where Flink has nothing alike, and then why.
 */
import type { Value } from '../../core/index.ts';

export interface AnswerField {
  readonly name: string;
  /** In our spelling. */
  readonly type: string;
  readonly value: Value;
  /** The same value as Flink's SQL. */
  readonly flink: string;
}

const JSON_TEXT = '{"a":{"b":[1,"x",null]},"s":"t","n":1.50,"big":9007199254740993,"t":true,"z":null}';

export const fields: readonly AnswerField[] = [
  { name: 'i', type: 'int', value: 7, flink: 'CAST(7 AS INT)' },
  { name: 'k', type: 'int', value: -3, flink: 'CAST(-3 AS INT)' },
  { name: 'zero', type: 'int', value: 0, flink: 'CAST(0 AS INT)' },
  { name: 'maxInt', type: 'int', value: 2147483647, flink: 'CAST(2147483647 AS INT)' },
  { name: 'l', type: 'long', value: 5000000000n, flink: 'CAST(5000000000 AS BIGINT)' },
  { name: 'maxLong', type: 'long', value: 9223372036854775807n, flink: 'CAST(9223372036854775807 AS BIGINT)' },
  { name: 'f', type: 'float', value: 1.5, flink: 'CAST(1.5 AS FLOAT)' },
  { name: 'd', type: 'double', value: 2.5, flink: 'CAST(2.5 AS DOUBLE)' },
  { name: 'dneg', type: 'double', value: -2.5, flink: 'CAST(-2.5 AS DOUBLE)' },
  { name: 'dzero', type: 'double', value: 0, flink: 'CAST(0 AS DOUBLE)' },
  { name: 'x', type: 'decimal(10,2)', value: 1050n, flink: 'CAST(10.50 AS DECIMAL(10,2))' },
  { name: 'y', type: 'decimal(12,4)', value: -31416n, flink: 'CAST(-3.1416 AS DECIMAL(12,4))' },
  {
    name: 'wide',
    type: 'decimal(38,10)',
    value: 12345678901234567890123456789012345678n,
    flink: "CAST('1234567890123456789012345678.9012345678' AS DECIMAL(38,10))",
  },
  { name: 's', type: 'string', value: 'Hello, World', flink: "CAST('Hello, World' AS STRING)" },
  { name: 'u', type: 'string', value: 'straße 😀 x', flink: "CAST(U&'stra\\00DFe \\D83D\\DE00 x' AS STRING)" },
  { name: 'e', type: 'string', value: '', flink: "CAST('' AS STRING)" },
  { name: 'digits', type: 'string', value: ' 42 ', flink: "CAST(' 42 ' AS STRING)" },
  { name: 'ns', type: 'string', value: null, flink: 'CAST(NULL AS STRING)' },
  { name: 'ni', type: 'int', value: null, flink: 'CAST(NULL AS INT)' },
  { name: 'nb', type: 'boolean', value: null, flink: 'CAST(NULL AS BOOLEAN)' },
  { name: 'nx', type: 'decimal(10,2)', value: null, flink: 'CAST(NULL AS DECIMAL(10,2))' },
  { name: 'yep', type: 'boolean', value: true, flink: 'CAST(TRUE AS BOOLEAN)' },
  { name: 'nope', type: 'boolean', value: false, flink: 'CAST(FALSE AS BOOLEAN)' },
  { name: 'ts', type: 'timestamp', value: 1709210096789, flink: "CAST('2024-02-29 12:34:56.789' AS TIMESTAMP(3))" },
  { name: 'ts2', type: 'timestamp', value: 1672531199001, flink: "CAST('2022-12-31 23:59:59.001' AS TIMESTAMP(3))" },
  { name: 'past', type: 'timestamp', value: -1500, flink: "CAST('1969-12-31 23:59:58.500' AS TIMESTAMP(3))" },
  { name: 'dt', type: 'date', value: 19782, flink: "CAST('2024-02-29' AS DATE)" },
  { name: 'dt2', type: 'date', value: 19357, flink: "CAST('2022-12-31' AS DATE)" },
  { name: 'tm', type: 'time', value: 45296000, flink: "CAST('12:34:56' AS TIME)" },
  { name: 'j', type: 'string', value: JSON_TEXT, flink: `CAST('${JSON_TEXT}' AS STRING)` },
  { name: 'js', type: 'json', value: JSON_TEXT, flink: `CAST('${JSON_TEXT}' AS STRING)` },
  { name: 'arr', type: 'array<int>', value: [3, 1, 2, 1], flink: 'CAST(ARRAY[3, 1, 2, 1] AS ARRAY<INT>)' },
  {
    name: 'sarr',
    type: 'array<string>',
    value: ['a', null, 'b'],
    flink: "ARRAY[CAST('a' AS STRING), CAST(NULL AS STRING), CAST('b' AS STRING)]",
  },
  {
    name: 'm',
    type: 'map<string, int>',
    value: new Map([['a', 1], ['b', 2]]),
    flink: "CAST(MAP['a', 1, 'b', 2] AS MAP<STRING, INT>)",
  },
  {
    name: 'r',
    type: 'row<p int, q string>',
    value: [5, 'five'],
    flink: "CAST(ROW(5, 'five') AS ROW<p INT, q STRING>)",
  },
  { name: 'octets', type: 'bytes', value: new Uint8Array([0xca, 0xfe]), flink: "CAST(X'CAFE' AS BYTES)" },
];

export type AnswerCase =
  | string
  | readonly [ours: string, flink: string]
  | readonly [ours: string, flink: null, reason: string];

const arithmetic: readonly AnswerCase[] = [
  'i + k', 'i - k', 'i * k', 'i / k', ['i % k', 'MOD(i, k)'], ['k % i', 'MOD(k, i)'], 'k / 2', '-7 / 2', '-i',
  '- (i + k)', '- d', '- x',
  'i + l', 'l * 2', 'l / 7', ['l % 7', 'MOD(l, 7)'], ['MOD(-7, 3)', 'MOD(-7, 3)'], 'i + d', 'd * d', 'd / 2', 'd - 5',
  ['d % 2', null, "Flink's MOD takes exact numbers only"],
  'f + i', 'f * f', 'f + d', 'f / 3', 'x + y', 'x - y', 'x * y', 'x / y', ['x % 3', 'MOD(x, 3)'], 'x + 1', 'x * i',
  'x / i', 'x / 3', 'y / x',
  'x + d', '0.908 * l', '1.1 + 2.2', '1.5 * 1.5', '10 / 4.0', '1 / 3.0', 'wide + wide', 'wide * 1.0', 'wide / 3',
  'wide - 0.5', 'x * x * x',
  'i / zero', 'l / 0', ['i % zero', 'MOD(i, zero)'], 'x / 0', 'd / 0', 'dzero / 0', 'dneg / dzero', 'ni + 1',
  'nx * 2', 'i + ni',
  'maxInt + 1', 'maxInt * 2', 'maxLong + 1', 'maxLong * maxLong', '-maxInt - 2', 'maxInt + l', 'x + f', 'wide * wide',
  'i + 0.1',
];

const comparison: readonly AnswerCase[] = [
  'i = 7', 'i <> 7', ['i != 7', 'i <> 7'], 'i < l', 'i <= 7', 'i > k', 'i >= 8', 'x = 10.5', 'x > y', 'x < 10',
  'd = 2.5', 'd > i', 'f = 1.5', 'f = d - 1',
  "s = 'Hello, World'", "s < 'hello'", "s > 'Hello'", "u > 's'", "'a' < 'B'", 'ts > ts2',
  "ts = TIMESTAMP '2024-02-29 12:34:56.789'", 'dt > dt2',
  "dt = DATE '2024-02-29'", "tm < TIME '13:00:00'", 'yep = nope', 'yep <> nope', 'octets = octets', 'ni = 1',
  'ni <> ni', 'ns IS NULL', 'i IS NOT NULL',
  'ni IS DISTINCT FROM 1', 'ni IS NOT DISTINCT FROM ni', 'i IS DISTINCT FROM 7', 'i IS NOT DISTINCT FROM l',
  'x IS DISTINCT FROM 10.5',
  'i BETWEEN 1 AND 10', 'i NOT BETWEEN 1 AND 10', 'i BETWEEN 10 AND 1', 'i BETWEEN SYMMETRIC 10 AND 1',
  'ni BETWEEN 1 AND 2', 'x BETWEEN 10 AND 11',
  "s BETWEEN 'A' AND 'Z'", 'i IN (1, 7, 9)', 'i NOT IN (1, 9)', 'i IN (1, ni)', 'i IN (7, ni)', 'i NOT IN (1, ni)',
  "s IN ('a', 'b')", 'x IN (10.5, 3)',
  'ni IN (1, 2)', 'arr = arr', 'arr = ARRAY[1, 2]', 'r = r', 'i = l', 'l > 4999999999.5', 'NOT (i = 7)',
  'arr <> ARRAY[3, 1, 2, 1]',
];

const logic: readonly AnswerCase[] = [
  'yep AND nope', 'yep OR nope', 'NOT yep', 'yep AND nb', 'nope AND nb', 'yep OR nb', 'nope OR nb', 'NOT nb',
  'nb IS TRUE', 'nb IS NOT TRUE', 'nb IS FALSE', 'nb IS NOT FALSE',
  'yep IS TRUE', 'yep IS FALSE', 'nope IS NOT TRUE', 'nope IS NOT FALSE', 'nb IS UNKNOWN', 'yep IS NOT UNKNOWN',
  'i > 1 AND x > 1 OR nope', 'nope AND i / zero > 1', 'yep OR i / zero > 1',
];

const conditional: readonly AnswerCase[] = [
  "CASE WHEN i > 5 THEN 'big' ELSE 'small' END", "CASE i WHEN 7 THEN 'seven' WHEN 8 THEN 'eight' END",
  "CASE i WHEN 8 THEN 'eight' END",
  'CASE WHEN ni > 1 THEN 1 ELSE 2 END', 'CASE WHEN yep THEN i ELSE x END', 'CASE WHEN nope THEN 1 / zero ELSE 5 END',
  'COALESCE(ni, i)', 'COALESCE(ni, NULL, 3)',
  'COALESCE(nx, x)', 'COALESCE(i, 1 / zero)', 'IFNULL(ni, 1)', 'IFNULL(i, 1)', 'NULLIF(i, 7)', 'NULLIF(i, 8)',
  'NULLIF(s, e)', "IF(i > 5, 'a', 'b')", 'IF(nb, 1, 2)',
  'GREATEST(i, k, 3)', 'LEAST(i, k, 3)', 'GREATEST(i, ni)', "GREATEST('b', 'a')", 'LEAST(x, y)', 'LEAST(d, 1.5)',
  'GREATEST(ts, ts2)',
];

const casts: readonly AnswerCase[] = [
  'CAST(i AS long)', 'CAST(i AS double)', 'CAST(i AS float)', 'CAST(i AS decimal(5,2))', 'CAST(i AS string)',
  'CAST(i AS boolean)', 'CAST(zero AS boolean)',
  'CAST(l AS int)', 'CAST(l AS decimal(5,0))', 'CAST(d AS int)', 'CAST(dneg AS int)', 'CAST(1e300 AS int)',
  'CAST(1e300 AS long)', 'CAST(d AS decimal(5,0))', 'CAST(dneg AS decimal(5,0))', 'CAST(d AS string)',
  'CAST(f AS string)', 'CAST(f AS double)', 'CAST(0.1e0 AS float)', 'CAST(CAST(0.1 AS float) AS double)',
  'CAST(1e20 AS string)', 'CAST(1e-7 AS string)', 'CAST(100.0e0 AS string)', 'CAST(x AS int)', 'CAST(y AS int)',
  'CAST(y AS decimal(5,1))', 'CAST(y AS decimal(5,2))',
  'CAST(x AS decimal(3,2))', 'CAST(x AS double)', 'CAST(x AS string)', 'CAST(x AS boolean)', 'CAST(wide AS double)',
  'CAST(wide AS string)', 'CAST(yep AS int)', 'CAST(nope AS string)', 'CAST(yep AS string)',
  'CAST(yep AS double)', 'CAST(yep AS decimal(3,1))', "CAST('12' AS int)", 'CAST(digits AS int)',
  "CAST('12.9' AS int)", "CAST('-12.9' AS long)", "CAST('abc' AS int)", "CAST('' AS int)",
  "CAST('99999999999' AS int)", "CAST('1e3' AS int)",
  "CAST('1.5' AS double)", "CAST('1e3' AS double)", "CAST('NaN' AS double)", "CAST('Infinity' AS double)",
  "CAST('abc' AS double)", "CAST('1.255' AS decimal(5,2))", "CAST('-1.255' AS decimal(5,2))",
  "CAST('12345.6' AS decimal(5,2))", "CAST('1e2' AS decimal(5,2))",
  "CAST('true' AS boolean)", "CAST('T' AS boolean)", "CAST('no' AS boolean)", "CAST('1' AS boolean)",
  "CAST('maybe' AS boolean)",
  "CAST('2024-02-29' AS date)", "CAST('2023-02-29' AS date)", "CAST('2024-2-9' AS date)",
  "CAST('2024-02-29 12:00:00' AS date)", "CAST('12:34:56' AS time)", "CAST('25:00:00' AS time)",
  "CAST('12:34' AS time)",
  "CAST('2024-02-29 12:34:56.789' AS timestamp)", "CAST('2024-02-29T12:34:56' AS timestamp)",
  "CAST('2024-02-29' AS timestamp)", "CAST('2024-02-29 12:34:56.7899' AS timestamp)", "CAST('nonsense' AS timestamp)",
  'CAST(ts AS date)', 'CAST(ts AS time)', 'CAST(past AS date)', 'CAST(dt AS timestamp)', 'CAST(ts AS string)',
  'CAST(dt AS string)', 'CAST(tm AS string)', 'CAST(past AS string)',
  'CAST(s AS bytes)', 'CAST(octets AS string)', "CAST(CAST('é' AS bytes) AS string)", 'CAST(arr AS string)',
  'CAST(m AS string)', 'CAST(r AS string)', 'CAST(sarr AS string)', 'CAST(arr AS array<long>)',
  'CAST(arr AS array<string>)',
  'CAST(ni AS string)', 'CAST(NULL AS int)', "TRY_CAST('abc' AS int)", "TRY_CAST('12' AS int)",
  "TRY_CAST('x' AS timestamp)", 'TRY_CAST(l AS int)', ['i::long', 'CAST(i AS BIGINT)'], 'CAST(s AS varchar(5))',
  'CAST(9.99 AS decimal(2,1))', 'CAST(9.94 AS decimal(2,1))', 'CAST(0.5e0 AS boolean)',
];

const strings: readonly AnswerCase[] = [
  'UPPER(s)', 'UPPER(u)', 'LOWER(s)', 'INITCAP(s)', "INITCAP('hELLO wORLD-foo bar2x')", 'CHAR_LENGTH(s)',
  'CHAR_LENGTH(u)', 'CHARACTER_LENGTH(e)', ['LENGTH(s)', 'CHAR_LENGTH(s)'],
  ["OCTET_LENGTH(u)", 'CHAR_LENGTH(HEX(u)) / 2'],
  'ASCII(s)', 'ASCII(e)', 'CHR(97)', 'CHR(65)', "SUBSTRING(s FROM 2 FOR 3)", 'SUBSTRING(s, 8)', 'SUBSTRING(s, -5)',
  'SUBSTRING(s, -5, 2)', 'SUBSTRING(s, 0, 3)', 'SUBSTRING(s, 100)', 'SUBSTRING(s, 1, 0)', 'SUBSTRING(u, 8, 1)',
  'SUBSTRING(s, -100)', 'SUBSTR(s, 3, 2)',
  'LEFT(s, 3)', 'LEFT(s, 0)', 'LEFT(s, -1)', 'LEFT(u, 8)', 'RIGHT(s, 3)', 'RIGHT(s, 100)', 'RIGHT(u, 3)',
  "TRIM('  a b  ')", "TRIM(BOTH 'x' FROM 'xxaxx')", "TRIM(LEADING 'x' FROM 'xxaxx')",
  "TRIM(TRAILING 'x' FROM 'xxaxx')",
  "LTRIM('  a ')", "RTRIM(' a  ')", "BTRIM('  a ')", "BTRIM('xyaxy', 'xy')", "LTRIM('xxa', 'x')", "RTRIM('axx', 'x')",
  "LPAD('7', 3, '0')", "LPAD('hello', 2, 'x')", "LPAD('a', 4, 'xy')", "RPAD('a', 4, 'xy')", "RPAD('hello', 2, 'x')",
  "LPAD('a', -1, 'x')", "LPAD('a', 3, '')",
  ["LPAD('a', 3)", "LPAD('a', 3, ' ')"], "REPEAT('ab', 3)", "REPEAT('ab', 0)", "REPEAT('ab', -1)", 'REVERSE(s)',
  "REPLACE('banana', 'an', 'A')", "REPLACE('banana', 'x', 'A')", "REPLACE('banana', 'a', '')",
  "OVERLAY('xxxxxtest' PLACING 'xxxx' FROM 6)", "OVERLAY('xxxxxtest' PLACING 'xxxx' FROM 6 FOR 2)",
  "POSITION('l' IN s)", "POSITION('z' IN s)", "POSITION('' IN s)", "POSITION('x' IN u)", "LOCATE('o', s)",
  "LOCATE('o', s, 6)", "INSTR(s, 'o')", "INSTR(s, 'zz')", "STARTSWITH(s, 'Hello')", "STARTSWITH(s, 'x')",
  "ENDSWITH(s, 'World')", "ENDSWITH(s, '')", ["STARTS_WITH(octets, X'CA')", "STARTSWITH(octets, X'CA')"],
  ["ENDS_WITH(octets, X'CA')", "ENDSWITH(octets, X'CA')"],
  ["CONTAINS(s, 'lo, W')", "POSITION('lo, W' IN s) > 0"], ["s || '!'", "s || '!'"], "ns || 'x'",
  ["'a' || 1", "'a' || CAST(1 AS STRING)"], "CONCAT('a', s, 'b')", "CONCAT(ns, 'x')",
  ["CONCAT('a', i, x)", "CONCAT('a', CAST(i AS STRING), CAST(x AS STRING))"], "CONCAT_WS('-', 'a', ns, 'b')",
  "CONCAT_WS(ns, 'a', 'b')", "CONCAT_WS('-', 'a')",
  ['octets || octets', null, 'Flink joins text only'], "s LIKE 'Hello%'", "s LIKE '%world'", "s LIKE 'H_llo%'",
  "s LIKE 'Hello'", "e LIKE '%'", "s NOT LIKE '%x%'", "'50%' LIKE '50!%' ESCAPE '!'", "'50x' LIKE '50!%' ESCAPE '!'",
  "u LIKE '%_ x'", "ns LIKE 'a'", "'a.c' LIKE 'abc'", "'a' || 'b' LIKE 'ab'",
  ["s ILIKE 'hello%'", "LOWER(s) LIKE LOWER('hello%')"],
  ["'ab' ILIKE 'A!_' ESCAPE '!'", "LOWER('ab') LIKE LOWER('A!_') ESCAPE '!'"], "SPLIT_INDEX('a/b/c', '/', 1)",
  "SPLIT_INDEX('a/b/c', '/', 5)", "SPLIT_INDEX('a/b/c', '/', -1)", "SPLIT_INDEX('a//c', '/', 1)",
  "SPLIT_INDEX('', '/', 0)", "SPLIT('a,b,c', ',')", "SPLIT('abc', '')", "SPLIT('a,,b', ',')", "SPLIT('', ',')",
  "TRANSLATE('hello', 'el', 'i')", "TRANSLATE('hello', 'elo', 'ELO')",
  ["MD5('abc')", "MD5('abc')"], "SHA1('abc')", "SHA224('abc')", "SHA256('abc')", "SHA384('abc')", "SHA512('abc')",
  'MD5(u)', "TO_BASE64('hello')", 'TO_BASE64(u)', "FROM_BASE64('aGVsbG8=')", "FROM_BASE64('###')",
  "URL_ENCODE('a b&c=d/é*~')", "URL_DECODE('a+b%26c')", "URL_DECODE('%zz')", 'HEX(255)', 'HEX(-1)', "HEX('az')",
  'HEX(l)', "UNHEX('CAFE')", "UNHEX('xyz')",
];

const regex: readonly AnswerCase[] = [
  ["REGEXP_LIKE(s, 'W.r')", "REGEXP(s, 'W.r')"], ["REGEXP_LIKE(s, '^W')", "REGEXP(s, '^W')"],
  ["s ~ '^Hello'", "REGEXP(s, '^Hello')"], ["s ~* '^hello'", "REGEXP(s, '(?i)^hello')"],
  ["s !~ '^Hello'", "NOT REGEXP(s, '^Hello')"], ["s !~* '^hello'", "NOT REGEXP(s, '(?i)^hello')"],
  "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 0)",
  "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)')", "REGEXP_EXTRACT('foothebar', 'x(y)', 1)",
  "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 5)",
  "REGEXP_EXTRACT('channel_id=abc&x', '(&|^)?channel_id=([^&]*)', 2)",
  "REGEXP_REPLACE('foobar', 'oo|ar', '')", "REGEXP_REPLACE('ab', '(a)(b)', '$2$1')",
  "REGEXP_REPLACE('a1b22', '[0-9]+', '#')", "REGEXP_COUNT('a1b22', '[0-9]+')", "REGEXP_COUNT('abc', 'x')",
  "REGEXP_EXTRACT(ns, 'x')", "REGEXP_EXTRACT('abc', '[', 0)",
];

const math: readonly AnswerCase[] = [
  'ABS(k)', 'ABS(y)', 'ABS(dneg)', 'ABS(l)', 'SIGN(k)', 'SIGN(y)', 'SIGN(dneg)', 'CEIL(d)', 'CEIL(dneg)', 'CEIL(x)',
  'CEIL(y)', 'CEIL(i)', 'FLOOR(d)', 'FLOOR(dneg)', 'FLOOR(x)', 'FLOOR(y)', 'FLOOR(i)', ['CEILING(1.2)', 'CEIL(1.2)'],
  'ROUND(d, 0)', 'ROUND(d)', 'ROUND(dneg, 0)', 'ROUND(y, 2)', 'ROUND(x, 1)', 'ROUND(y, 0)', 'ROUND(y)',
  'ROUND(2.675e0, 2)', 'ROUND(1234, -2)', 'ROUND(1250, -2)', 'ROUND(l, -3)', 'ROUND(1.005e0, 2)', 'ROUND(x, 5)',
  'ROUND(123.456, -1)', 'ROUND(i, 2)',
  'TRUNCATE(y, 2)', 'TRUNCATE(42.345, 2)', 'TRUNCATE(42.345)', 'TRUNCATE(d)', 'TRUNCATE(dneg, 0)',
  'TRUNCATE(1234, -2)', 'TRUNCATE(1.999e0, 2)', 'POWER(2, 10)', 'POWER(2, -1)', 'POWER(d, 0.5)', 'POWER(x, 2)',
  'SQRT(16)', 'SQRT(x)', 'SQRT(dneg)',
  ['CBRT(27)', 'POWER(27e0, 1e0 / 3)'], 'EXP(1)', 'EXP(d)', 'LN(d)', 'LN(10)', 'LN(0)', 'LN(dneg)', 'LOG10(1000)',
  'LOG10(d)', 'LOG2(8)', 'LOG2(d)', 'LOG(d)', 'LOG(2, 8)', 'LOG(10, 1000)', 'SIN(d)', 'COS(d)', 'TAN(d)', 'COT(d)',
  'SINH(d)', 'COSH(d)', 'TANH(d)', 'ASIN(0.5)', 'ACOS(0.5)', 'ASIN(2)', 'ATAN(d)', 'ATAN2(1, d)',
  'DEGREES(PI())', 'DEGREES(d)', 'RADIANS(180)', 'RADIANS(d)', 'PI()', 'E()',
  ['WIDTH_BUCKET(5.5, 0, 10, 5)', null, 'Flink 2.2 has no WIDTH_BUCKET'], 'SQRT(ni)', 'EXP(1000)', 'SIN(dzero)',
  'POWER(0, 0)',
];

const time: readonly AnswerCase[] = [
  'EXTRACT(YEAR FROM ts)', 'EXTRACT(QUARTER FROM ts)', 'EXTRACT(MONTH FROM dt)', 'EXTRACT(WEEK FROM ts)',
  'EXTRACT(WEEK FROM ts2)', "EXTRACT(WEEK FROM DATE '2021-01-03')", 'EXTRACT(DAY FROM ts)', 'EXTRACT(DOY FROM ts)',
  'EXTRACT(DOW FROM ts)', 'EXTRACT(ISODOW FROM ts2)', 'EXTRACT(ISOYEAR FROM ts2)',
  "EXTRACT(ISOYEAR FROM DATE '2021-01-03')", 'EXTRACT(HOUR FROM ts)', 'EXTRACT(MINUTE FROM ts)',
  'EXTRACT(SECOND FROM ts)',
  'EXTRACT(MILLISECOND FROM ts)', 'EXTRACT(EPOCH FROM ts)', 'EXTRACT(EPOCH FROM past)', 'EXTRACT(EPOCH FROM dt)',
  'EXTRACT(DECADE FROM ts)', 'EXTRACT(CENTURY FROM ts)', 'EXTRACT(MILLENNIUM FROM ts)',
  "EXTRACT(CENTURY FROM DATE '2000-06-01')", 'EXTRACT(HOUR FROM tm)', 'EXTRACT(MINUTE FROM tm)',
  'EXTRACT(SECOND FROM tm)', 'EXTRACT(SECOND FROM past)', 'EXTRACT(HOUR FROM past)',
  'YEAR(dt)', 'QUARTER(dt)', 'MONTH(dt)', 'WEEK(dt)', 'DAYOFYEAR(dt)', 'DAYOFMONTH(dt)', 'DAYOFWEEK(dt)', 'HOUR(ts)',
  'MINUTE(ts)', 'SECOND(ts)', 'DAYOFWEEK(dt2)',
  "dt + INTERVAL '1' DAY", "dt + INTERVAL '1' MONTH", "DATE '2024-01-31' + INTERVAL '1' MONTH",
  "dt - INTERVAL '1' YEAR", "ts + INTERVAL '1' HOUR", "ts - INTERVAL '90' MINUTE",
  "ts + INTERVAL '1-2' YEAR TO MONTH", "ts + INTERVAL '1 02:03:04.5' DAY TO SECOND", "ts + INTERVAL '1' MONTH",
  "tm + INTERVAL '12' HOUR", "tm - INTERVAL '13' HOUR", "ts + INTERVAL '1.5' SECOND", "INTERVAL '2' DAY + dt",
  "ts - INTERVAL '1' QUARTER", "dt + INTERVAL '1' WEEK", "ts - INTERVAL -'1' DAY",
  'TIMESTAMPADD(DAY, 1, ts)', 'TIMESTAMPADD(MONTH, -1, ts)', 'TIMESTAMPADD(HOUR, 25, ts)',
  'TIMESTAMPADD(WEEK, 1, dt)', 'TIMESTAMPADD(QUARTER, 1, ts)', 'TIMESTAMPADD(YEAR, 1, ts)',
  'TIMESTAMPADD(SECOND, i, ts)', 'TIMESTAMPADD(MINUTE, ni, ts)',
  'TIMESTAMPDIFF(DAY, ts2, ts)', 'TIMESTAMPDIFF(MONTH, ts2, ts)', 'TIMESTAMPDIFF(YEAR, ts2, ts)',
  'TIMESTAMPDIFF(HOUR, ts2, ts)', 'TIMESTAMPDIFF(SECOND, ts, ts2)', 'TIMESTAMPDIFF(DAY, dt2, dt)',
  'TIMESTAMPDIFF(MONTH, dt, dt2)', 'TIMESTAMPDIFF(QUARTER, ts2, ts)', 'TIMESTAMPDIFF(WEEK, ts2, ts)',
  'TIMESTAMPDIFF(MINUTE, ts2, ts)',
  ["DATE_TRUNC('month', ts)", 'FLOOR(ts TO MONTH)'], ["DATE_TRUNC('hour', ts)", 'FLOOR(ts TO HOUR)'],
  ["DATE_TRUNC('week', ts)", 'FLOOR(ts TO WEEK)'], 'FLOOR(ts TO WEEK)', 'TIMESTAMPADD(HOUR, 1, dt)',
  'TIMESTAMPADD(MONTH, 1, dt)', ["DATE_TRUNC('year', dt)", 'FLOOR(dt TO YEAR)'], 'FLOOR(ts TO MINUTE)',
  'FLOOR(ts TO DAY)', 'FLOOR(ts TO QUARTER)', 'FLOOR(ts TO YEAR)', 'FLOOR(past TO SECOND)', 'CEIL(ts TO MINUTE)',
  'CEIL(ts TO DAY)', 'CEIL(ts TO MONTH)', 'CEIL(ts TO YEAR)', 'CEIL(dt TO MONTH)', 'FLOOR(dt TO MONTH)',
  'CEIL(ts TO HOUR)', 'FLOOR(ts TO SECOND)',
  ['LAST_DAY(dt)', "CAST(FLOOR(dt TO MONTH) + INTERVAL '1' MONTH - INTERVAL '1' DAY AS DATE)"],
  ['LAST_DAY(ts2)', "CAST(FLOOR(ts2 TO MONTH) + INTERVAL '1' MONTH - INTERVAL '1' DAY AS DATE)"],
  "DATE_FORMAT(ts, 'yyyy-MM-dd HH:mm:ss.SSS')", "DATE_FORMAT(ts, 'dd/MM/yy hh:mm a')",
  "DATE_FORMAT(ts, 'EEE, d MMM yyyy')", "DATE_FORMAT(ts, 'EEEE MMMM D')", "DATE_FORMAT(ts, 'yyyyMMdd''T''HH')",
  "DATE_FORMAT(past, 'ss.S')",
  "TO_TIMESTAMP('2024-02-29 12:34:56')", "TO_TIMESTAMP('2024-02-29 12:34:56.123')",
  "TO_TIMESTAMP('29/02/2024 12', 'dd/MM/yyyy HH')", "TO_TIMESTAMP('nonsense')", "TO_TIMESTAMP('2024-02-30 00:00:00')",
  "TO_TIMESTAMP('2024-02-29', 'yyyy-MM-dd')", "TO_DATE('2024-02-29')", "TO_DATE('29.02.2024', 'dd.MM.yyyy')",
  "TO_DATE('x')",
  'TO_TIMESTAMP_LTZ(1709210096789, 3)', 'TO_TIMESTAMP_LTZ(1709210096, 0)', 'TO_TIMESTAMP_LTZ(-1500, 3)',
  ['FROM_EPOCH_MILLIS(1709210096789)', 'TO_TIMESTAMP_LTZ(1709210096789, 3)'],
  ['TO_EPOCH_MILLIS(ts)', 'UNIX_TIMESTAMP(CAST(ts AS STRING)) * 1000 + 789'], 'FROM_UNIXTIME(44)',
  "FROM_UNIXTIME(1709210096, 'yyyy-MM-dd')", 'FROM_UNIXTIME(-1)',
  "UNIX_TIMESTAMP('1970-01-01 00:00:44')", "UNIX_TIMESTAMP('29.02.2024', 'dd.MM.yyyy')",
  ['UNIX_TIMESTAMP(ts)', "UNIX_TIMESTAMP(DATE_FORMAT(ts, 'yyyy-MM-dd HH:mm:ss'))"], "DATE '2024-02-29'",
  "TIME '12:34:56'", "TIMESTAMP '2024-02-29 12:34:56.789'", 'dt = ts', 'dt < ts',
];

const json: readonly AnswerCase[] = [
  "JSON_VALUE(j, '$.s')", "JSON_VALUE(j, '$.a.b[0]')", "JSON_VALUE(j, '$.a.b[1]')", "JSON_VALUE(j, '$.a.b[2]')",
  "JSON_VALUE(j, '$.n')", "JSON_VALUE(j, '$.t')", "JSON_VALUE(j, '$.z')", "JSON_VALUE(j, '$.missing')",
  "JSON_VALUE(j, '$.a')", "JSON_VALUE(j, '$[''s'']')", "JSON_VALUE('not json', '$.a')", "JSON_VALUE(j, '$.big')",
  "JSON_VALUE(ns, '$.a')", "JSON_VALUE(j, 'lax $.s')",
  "JSON_QUERY(j, '$.a')", "JSON_QUERY(j, '$.a.b')", "JSON_QUERY(j, '$.s')", "JSON_QUERY(j, '$.missing')",
  "JSON_EXISTS(j, '$.a.b')", "JSON_EXISTS(j, '$.a.c')", "JSON_EXISTS(j, '$.z')", "JSON_EXISTS(j, '$.a.b[2]')",
  "JSON_EXISTS(j, '$.a.b[3]')",
  ["js -> 'a'", "JSON_QUERY(js, '$.a')"], ["js -> 'a' -> 'b' ->> 1", "JSON_VALUE(js, '$.a.b[1]')"],
  ["js ->> 's'", "JSON_VALUE(js, '$.s')"], ["js ->> 'z'", "JSON_VALUE(js, '$.z')"],
  ["js ->> 'missing'", "JSON_VALUE(js, '$.missing')"], ["js ->> 't'", "JSON_VALUE(js, '$.t')"],
  ["JSON_LENGTH(j -> 'a' -> 'b')", null, 'Flink 2.2 has no function that counts JSON elements'],
  ["IS_JSON(j)", 'j IS JSON'], ["IS_JSON('{')", "'{' IS JSON"], ["IS_JSON('1')", "'1' IS JSON"],
  ["CAST(CAST('[1,2]' AS json) AS array<int>)", 'ARRAY[1, 2]'],
  ["CAST(js ->> 'n' AS double)", "JSON_VALUE(js, '$.n' RETURNING DOUBLE)"],
];

const collections: readonly AnswerCase[] = [
  'arr[1]', 'arr[4]', 'arr[5]', 'arr[i]', "m['a']", "m['zz']", 'm[ns]', 'r.p', 'r.q', 'CARDINALITY(arr)',
  'CARDINALITY(m)', 'ELEMENT(ARRAY[7])', 'ARRAY[1, 2, 3]', 'ARRAY[1, 2.5]', "MAP['k', 1]",
  ["MAP('k', 1, 'l', 2)", "MAP['k', 1, 'l', 2]"], "ROW(1, 'a')", 'ARRAY[ni, 1]',
  'ARRAY_CONTAINS(arr, 2)', 'ARRAY_CONTAINS(arr, 9)', 'ARRAY_CONTAINS(sarr, ns)', 'ARRAY_CONTAINS(arr, ni)',
  'ARRAY_POSITION(arr, 1)', 'ARRAY_POSITION(arr, 9)', 'ARRAY_POSITION(arr, ni)', "ARRAY_JOIN(sarr, '-')",
  "ARRAY_JOIN(sarr, '-', '?')", 'ARRAY_DISTINCT(arr)', 'ARRAY_DISTINCT(sarr)', 'ARRAY_REVERSE(arr)',
  'ARRAY_CONCAT(arr, ARRAY[9])', 'ARRAY_APPEND(arr, 9)', 'ARRAY_APPEND(arr, ni)', 'ARRAY_PREPEND(arr, 9)',
  'ARRAY_REMOVE(arr, 1)', 'ARRAY_REMOVE(arr, 9)', 'ARRAY_REMOVE(sarr, ns)', 'ARRAY_SLICE(arr, 2, 3)',
  'ARRAY_SLICE(arr, -2)', 'ARRAY_SLICE(arr, 3, 1)', 'ARRAY_SLICE(arr, 0, 2)', 'ARRAY_SLICE(arr, 2, -1)',
  'ARRAY_MIN(arr)', 'ARRAY_MAX(arr)', 'ARRAY_MAX(sarr)', 'MAP_KEYS(m)', 'MAP_VALUES(m)',
];

export const cases: readonly AnswerCase[] = [
  ...arithmetic, ...comparison, ...logic, ...conditional, ...casts, ...strings, ...regex, ...math, ...time, ...json,
  ...collections,
];
