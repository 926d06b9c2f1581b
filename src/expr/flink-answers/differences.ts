/**
 * Where our answer is not Flink's, and why. The test fails for a difference that does not stand here, and for one that
 * stands here but is none any more.
 */
export interface Difference {
  readonly why: string;
  readonly expressions: readonly string[];
}

export const differences: readonly Difference[] = [
  {
    why: 'Integer overflow is a record error, here and in casts; Flink wraps around or saturates silently.',
    expressions: [
      'maxInt + 1',
      'maxInt * 2',
      'maxLong + 1',
      'maxLong * maxLong',
      '-maxInt - 2',
      'CAST(l AS int)',
      'CAST(1e300 AS int)',
      'CAST(1e300 AS long)',
      'TRY_CAST(l AS int)',
    ],
  },
  {
    why: 'A decimal that needs more than its digits is a record error; Flink makes NULL of it.',
    expressions: ['wide * wide', 'CAST(x AS decimal(3,2))', 'CAST(l AS decimal(5,0))', 'CAST(9.99 AS decimal(2,1))'],
  },
  {
    why: 'Doubles follow IEEE 754, as DESIGN.md says: x / 0 is an infinity or NaN. Flink 2.2 fails.',
    expressions: ['d / 0', 'dzero / 0', 'dneg / dzero'],
  },
  {
    why: "Flink's planner leaves out the narrowing cast; the float nearest to 0.1 is 0.10000000149…",
    expressions: ['CAST(CAST(0.1 AS float) AS double)'],
  },
  {
    why: 'Doubles are spelled as ECMAScript and JSON spell them, not as Java does; both read back as the same number.',
    expressions: ['CAST(1e20 AS string)', 'CAST(1e-7 AS string)', 'CAST(100.0e0 AS string)'],
  },
  {
    why: 'ISO 8601 is read wherever a timestamp is: it is what our JSON holds.',
    expressions: ["CAST('2024-02-29T12:34:56' AS timestamp)"],
  },
  {
    why: "Our times have milliseconds; Flink's TIME is TIME(0).",
    expressions: ['CAST(ts AS time)'],
  },
  {
    why: 'Before 1970 Flink rounds towards the epoch, so that a moment of 1969 lies in 1970 and has negative seconds.',
    expressions: [
      'CAST(past AS date)',
      'EXTRACT(EPOCH FROM past)',
      'EXTRACT(SECOND FROM past)',
      'EXTRACT(HOUR FROM past)',
    ],
  },
  {
    why: 'Flink takes INTERVAL of a quarter for a month and of a week for nothing.',
    expressions: ["ts - INTERVAL '1' QUARTER", "dt + INTERVAL '1' WEEK"],
  },
  {
    why: 'Weeks begin on Monday, as in ISO 8601, EXTRACT(WEEK …) and PostgreSQL; Calcite cuts at Sunday.',
    expressions: ["DATE_TRUNC('week', ts)", 'FLOOR(ts TO WEEK)'],
  },
  {
    why: 'There is no 30 February: NULL as for any text that shows no time. Flink takes the last day of the month.',
    expressions: ["TO_TIMESTAMP('2024-02-30 00:00:00')"],
  },
  {
    why: 'A date becomes a timestamp by itself, without loss; Flink refuses.',
    expressions: ['dt = ts', 'dt < ts'],
  },
  {
    why: 'JSON null is something that is there (SQL:2016); Flink does not tell it from a missing member.',
    expressions: ["JSON_EXISTS(j, '$.z')", "JSON_EXISTS(j, '$.a.b[2]')"],
  },
  {
    why: '$1 in a replacement is the first group, as in Java, Spark and Trino; Flink takes the replacement literally.',
    expressions: ["REGEXP_REPLACE('ab', '(a)(b)', '$2$1')"],
  },
  {
    why: 'A pattern that is none is a mistake that lint reports; Flink makes NULL of it for every record.',
    expressions: ["REGEXP_EXTRACT('abc', '[', 0)"],
  },
];
