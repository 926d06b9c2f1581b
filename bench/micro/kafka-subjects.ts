/* What the Kafka micro-benchmarks work on. */
import { Kafka, logLevel } from 'kafkajs';
import {
  parseOptions,
  types,
  ColumnBatch,
  type BytesColumn,
  type FormatDefinition,
  type SinkSpec,
  type WriterContext,
} from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { createKafkaSink } from '../../src/connectors/index.ts';

/** Neither decodes nor encodes: a value column that borrows, values that are copied. */
export const untouchedFormat: FormatDefinition = {
  name: 'untouched',
  doc: 'Values as they are.',
  options: {},
  framing: 'none',
  canDecode: true,
  canEncode: true,
  fixedSchema: () => null,
  check: () => [],
  createDecoder: () => ({
    failure: null,
    decode(block, fromRecord, batch, records) {
      const column = batch.columns[0] as BytesColumn;
      column.data = block.data;
      const end = Math.min(block.count, fromRecord + batch.capacity - batch.rowCount);
      let row = batch.rowCount;
      for (let record = fromRecord; record < end; record++, row++) records[row] = record;
      column.starts.set(block.valueStarts.subarray(fromRecord, end), batch.rowCount);
      column.ends.set(block.valueEnds.subarray(fromRecord, end), batch.rowCount);
      batch.rowCount = row;
      return end;
    },
  }),
  createEncoder: (_spec, fields) => ({
    failedRow: -1,
    encode(batch, fromRow, block, maxBytes) {
      const column = batch.columns[fields[0] ?? 0] as BytesColumn;
      let row = fromRow;
      for (; row < batch.rowCount && block.count < block.capacity && block.used <= maxBytes; row++) {
        const start = column.starts[row] as number;
        const length = (column.ends[row] as number) - start;
        block.reserve(length).set(column.data.subarray(start, start + length), block.used);
        block.starts[block.count] = block.used;
        block.used += length;
        block.ends[block.count++] = block.used;
      }
      return row;
    },
  }),
};

export function taskContext(stepId: string): WriterContext {
  return {
    jobName: 'bench',
    stepId,
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    ports: nodePorts,
    counter: () => ({ value: 0 }),
    rack: null,
    run: null,
    errors: {
      handle: (_batch, _row, _stepId, error) => {
        throw error;
      },
    },
  };
}

/** A Nexmark bid of so many bytes, by number. */
export function bid(sizeBytes: number): (index: number) => string {
  return (index) => {
    const head =
      `{"auction":${1000 + ((index * 7919) % 100_000)},"bidder":${1000 + ((index * 104_729) % 100_000)},` +
      `"price":${100 + ((index * 31) % 100_000)},"dateTime":${1_700_000_000_000 + index},"extra":"`;
    return `${head.padEnd(sizeBytes - 2, 'x')}"}`;
  };
}

/** A batch of one bytes column with the values of `count` records. */
export function valueBatch(value: (index: number) => string, count: number): ColumnBatch {
  const batch = new ColumnBatch({ fields: [{ name: 'value', type: types.bytes }] }, count);
  const column = batch.columns[0] as BytesColumn;
  const texts = Array.from({ length: count }, (_, index) => value(index));
  const data = Buffer.from(texts.join(''));
  column.data = data;
  let at = 0;
  texts.forEach((text, row) => {
    column.starts[row] = at;
    at += text.length;
    column.ends[row] = at;
  });
  batch.rowCount = count;
  return batch;
}

export function sinkSpec(options: Readonly<Record<string, unknown>>): SinkSpec {
  const { values, problems } = parseOptions(createKafkaSink([]).options, options);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return {
    stepId: 'sink',
    connector: 'kafka',
    options: values,
    format: { name: 'untouched', options: {} },
    input: { fields: [{ name: 'value', type: types.bytes }] },
    changelog: 'append',
    uniqueKey: [],
  };
}

/** Writes batches until so many records are acknowledged. */
export async function writeRecords(spec: SinkSpec, batch: ColumnBatch, records: number): Promise<void> {
  const writer = createKafkaSink([untouchedFormat]).createWriter(spec);
  await writer.open(taskContext('sink'));
  let yieldedAt = performance.now();
  for (let written = 0; written < records; written += batch.rowCount) {
    let row = 0;
    while ((row = writer.write(batch, row)) < batch.rowCount) await writer.writable();
    if (performance.now() - yieldedAt > 5) {
      await nodePorts.macrotasks.yield();
      yieldedAt = performance.now();
    }
  }
  await writer.flush();
  await writer.close();
}

/** Makes the topic and its records, unless they are there. */
export async function fillTopic(what: {
  readonly brokers: string;
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  readonly value: (index: number) => string;
  readonly compression: string;
}): Promise<void> {
  const { brokers, topic, partitions, compression } = what;
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const isNew = await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] });
  await admin.disconnect();
  if (!isNew) return;
  await writeRecords(sinkSpec({ brokers, topic, compression }), valueBatch(what.value, 10_000), what.records);
}
