import {
  checkpointIdOf,
  shape,
  type ChannelStateHandle,
  type CheckpointMetadata,
  type Committable,
  type DataType,
  type KeyGroupRuns,
  type OperatorStateHandle,
  type OptionValue,
  type RowSchema,
  type Shape,
  type Split,
  type SplitId,
  type StateFile,
  type StepId,
  type SubtaskSnapshot,
} from '../../core/index.ts';

const { fields, flag, integer, list, map, nullable, number, oneOf, text, where } = shape;

const CHUNK_NUMBERS = 3;

/** Whatever JSON can say: options and positions are judged by those who asked for them to be kept. */
const optionValue: Shape<OptionValue> = (value) => value as OptionValue;
const stepId = text as Shape<StepId>;

const dataType: Shape<DataType> = (value, place) => {
  const { kind } = fields({ kind: text })(value, place);
  switch (kind) {
    case 'decimal':
      return fields({ kind: oneOf(kind), precision: integer(1), scale: integer(0) })(value, place);
    case 'array':
      return fields({ kind: oneOf(kind), element: dataType })(value, place);
    case 'map':
      return fields({ kind: oneOf(kind), key: dataType, value: dataType })(value, place);
    case 'row':
      return fields({ kind: oneOf(kind), fields: list(field) })(value, place);
    default:
      return fields({ kind: simpleKind })(value, place);
  }
};

const simpleKind = oneOf(
  'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes', 'date', 'time', 'timestamp', 'json',
);
const field = fields({ name: text, type: dataType });
const rowSchema: Shape<RowSchema> = fields({ fields: list(field) });

/** Only names that this storage makes: a path that leads elsewhere is never opened. */
const stateFile: Shape<StateFile> = fields({
  name: where(text, (name) => checkpointIdOf(name) !== null, 'the name of a state file'),
  sizeBytes: integer(1),
  checksum: where(text, (checksum) => /^[0-9a-f]{8}$/.test(checksum), 'a checksum'),
});

const operatorState: Shape<OperatorStateHandle> = where(
  fields(
    {
      stepId,
      schema: fields({
        kind: text,
        version: integer(0),
        key: rowSchema,
        values: rowSchema,
        settings: map(optionValue),
      }),
      file: stateFile,
      chunks: list(integer(0)),
    },
    { order: integer(0) },
  ),
  ({ chunks, file }) => chunksFit(chunks, file.sizeBytes),
  'state whose chunks lie in its file',
);

function chunksFit(chunks: readonly number[], sizeBytes: number): boolean {
  if (chunks.length % CHUNK_NUMBERS !== 0) return false;
  for (let i = 0; i < chunks.length; i += CHUNK_NUMBERS) {
    if ((chunks[i + 1] as number) + (chunks[i + 2] as number) > sizeBytes) return false;
  }
  return true;
}

const channelState: Shape<ChannelStateHandle> = where(
  fields({
    stepId,
    input: integer(0),
    keys: nullable(list(integer(0))),
    sender: integer(0),
    receiver: integer(0),
    receivers: integer(1),
    schema: rowSchema,
    file: stateFile,
    batches: list(integer(0)),
  }),
  ({ batches, file, keys, schema }) =>
    batches.length % 2 === 0 &&
    batches.every((position, at) => at % 2 === 1 || position + (batches[at + 1] as number) <= file.sizeBytes) &&
    (keys ?? []).every((key) => key < schema.fields.length),
  'rows on their way whose batches lie in their file',
);

const split: Shape<Split> = fields(
  { id: text as Shape<SplitId>, position: map(optionValue), racks: list(text) },
  { eventTime: fields({ maxTimestampMs: number, isIdle: flag }) },
);

const committable: Shape<Committable> = fields({
  stepId,
  subtaskIndex: integer(0),
  checkpointId: integer(0),
  data: map(optionValue),
});

const keyGroupRuns: Shape<KeyGroupRuns> = where(
  list(number),
  (runs) =>
    runs.length % 3 === 0 && runs.every((value, at) => at % 3 === 2 || (Number.isSafeInteger(value) && value >= 0)),
  'watermarks of key groups',
);

const subtask: Shape<SubtaskSnapshot> = fields(
  {
    subtaskIndex: integer(0),
    splits: list(split),
    watermarkMs: nullable(number),
    operators: list(operatorState),
    committables: list(committable),
    isFinished: flag,
  },
  { channels: list(channelState), ahead: keyGroupRuns },
);

/** Of versions 1 and 2, which differ in rows on their way. */
export const metadataShape: Shape<CheckpointMetadata> = fields({
  version: oneOf(1, 2),
  jobName: text,
  checkpointId: integer(0),
  kind: oneOf('checkpoint', 'savepoint'),
  generation: integer(0),
  triggeredAtMs: number,
  completedAtMs: number,
  maxParallelism: integer(1),
  vertices: list(
    fields({ vertexId: text, stepIds: list(stepId), parallelism: integer(1), subtasks: list(subtask) }),
  ),
});
