/**
 * How fast one core decodes and encodes Nexmark bids in JSON: `node bench/micro/json.ts
 * [decode-all|decode-q2|encode-5]`. CPU time, because wall time measures the neighbours too; the best of several
 * rounds, because so does CPU time.
 */
import { builtInFormats } from '../../src/connectors/index.ts';
import {
  ColumnBatch,
  EncodedBlock,
  emittedSchema,
  RecordBlock,
  rowSchema,
  types,
} from '../../src/core/index.ts';
import type { Expression, FormatDefinition, SinkSpec, SourceSpec } from '../../src/core/index.ts';

const RECORDS = 4000;
const ROUNDS = 8;
const PASSES = 150;

const json = builtInFormats.find((format) => format.name === 'json') as FormatDefinition;
const schema = rowSchema([
  { name: 'auction', type: types.long },
  { name: 'bidder', type: types.long },
  { name: 'price', type: types.long },
  { name: 'channel', type: types.string },
  { name: 'url', type: types.string },
  { name: 'dateTime', type: types.timestamp },
  { name: 'extra', type: types.string },
]);

/** A linear congruential generator: the same bids every time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

function bids(): RecordBlock {
  const random = generator(1);
  const upTo = (limit: number): number => Math.floor(random() * limit);
  const block = new RecordBlock(RECORDS);
  const texts = Array.from({ length: RECORDS }, (_, index) =>
    JSON.stringify({
      auction: 1000 + upTo(100_000),
      bidder: 1000 + upTo(10_000),
      price: Math.floor(10 ** (random() * 6) * 100),
      channel: ['Google', 'Facebook', 'Apple', `channel-${upTo(10_000)}`][upTo(4)],
      url: `https://www.nexmark.com/${'abcdefghijkl'.slice(0, 3 + upTo(8))}/item.htm?query=1`,
      dateTime: new Date(1_767_225_600_000 + index * 3).toISOString(),
      extra: 'x'.repeat(5 + upTo(30)),
    }),
  );
  block.data = new TextEncoder().encode(texts.join(''));
  let at = 0;
  texts.forEach((text, index) => {
    block.valueStarts[index] = at;
    at += text.length;
    block.valueEnds[index] = at;
  });
  block.count = RECORDS;
  return block;
}

function sourceSpec(projection: readonly number[], filters: SourceSpec['filters']): SourceSpec {
  return {
    stepId: 'bids', connector: 'bench', options: {}, format: { name: 'json', options: {} }, schema, metadata: [],
    projection, filters, errors: { kind: 'fail' },
  };
}

function decoding(projection: readonly number[], filters: SourceSpec['filters'] = []): () => void {
  const spec = sourceSpec(projection, filters);
  const decoder = json.createDecoder(spec, { write: () => undefined });
  const batch = new ColumnBatch(emittedSchema(spec), RECORDS);
  const records = new Int32Array(RECORDS);
  const block = bids();
  return () => {
    batch.reset();
    const next = decoder.decode(block, 0, batch, records);
    if (next !== RECORDS || decoder.failure !== null) throw new Error('not decoded', { cause: decoder.failure?.error });
  };
}

/** auction % 123 = 0, as Nexmark's q2. */
const q2: Expression = {
  kind: 'call',
  overload: 'eq(long,long)',
  args: [
    {
      kind: 'call',
      overload: 'modulo(long,long)',
      args: [
        { kind: 'column', index: 0, name: 'auction', type: types.long },
        { kind: 'literal', type: types.long, value: '123' },
      ],
      type: types.long,
    },
    { kind: 'literal', type: types.long, value: '0' },
  ],
  type: types.boolean,
};

function encoding(fields: readonly number[]): () => void {
  const spec = sourceSpec([0, 1, 2, 3, 4, 5, 6], []);
  const batch = new ColumnBatch(schema, RECORDS);
  json.createDecoder(spec, { write: () => undefined }).decode(bids(), 0, batch, new Int32Array(RECORDS));
  const sink: SinkSpec = {
    stepId: 'out', connector: 'bench', options: {}, format: { name: 'json', options: {} }, input: schema,
    changelog: 'append', uniqueKey: [],
  };
  const encoder = json.createEncoder(sink, fields);
  const block = new EncodedBlock(RECORDS, 1 << 20);
  return () => {
    block.reset();
    if (encoder.encode(batch, 0, block, Infinity) !== RECORDS) throw new Error('not encoded');
  };
}

const cases: Readonly<Record<string, () => () => void>> = {
  'decode-all': () => decoding([0, 1, 2, 3, 4, 5, 6]),
  'decode-q2': () => decoding([0, 2], [{ stepId: 'q2', predicate: q2 }]),
  'encode-5': () => encoding([0, 1, 2, 5, 6]),
};

function nanosecondsPerRecord(pass: () => void): number {
  for (let warm = 0; warm < PASSES; warm++) pass();
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < PASSES; i++) pass();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1000) / (PASSES * RECORDS));
  }
  return best;
}

const wanted = process.argv.slice(2);
for (const [name, make] of Object.entries(cases)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const ns = nanosecondsPerRecord(make());
  process.stdout.write(`${name}: ${(1000 / ns).toFixed(2)} M records per CPU-second (${ns.toFixed(0)} ns)\n`);
}
