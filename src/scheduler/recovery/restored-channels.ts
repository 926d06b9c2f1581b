/** Who takes the rows that were on their way when a checkpoint was taken, and whether anybody can (docs/design/016). */
import { subtaskOfKeyGroup } from '../../core/index.ts';
import type { ChannelStateHandle, CheckpointMetadata, RowSchema } from '../../core/index.ts';
import type { ChainNode, JobGraph, JobVertex } from '../../graph/index.ts';
import type { RestoredChannel } from '../../rpc/index.ts';
import { stepIdsOf } from '../step-ids.ts';

/** What a subtask is given: first what its predecessors had received, then what was still at their senders. */
export function restoredChannels(
  { vertices, maxParallelism }: CheckpointMetadata,
  vertex: JobVertex,
  subtaskIndex: number,
): readonly RestoredChannel[] {
  const found = vertices.flatMap(({ stepIds, subtasks }) =>
    subtasks.flatMap(({ channels = [] }) =>
      channels.flatMap((handle) => {
        const node = vertex.chain.find((each) => stepIdsOf(each)[0] === handle.stepId);
        if (node === undefined) return [];
        return [{ handle, schema: inputOf(node, handle.input), isReceived: stepIds.includes(handle.stepId) }];
      }),
    ),
  );
  const inOrder = [...found.filter(({ isReceived }) => isReceived), ...found.filter(({ isReceived }) => !isReceived)];
  return inOrder.flatMap(({ handle, schema }): RestoredChannel[] => {
    const share = shareOf(handle, vertex.parallelism, subtaskIndex, maxParallelism);
    return share === 'none' ? [] : [{ handle, schema: schema ?? handle.schema, isShared: share === 'some' }];
  });
}

function shareOf(
  { keys, receiver, receivers }: ChannelStateHandle,
  parallelism: number,
  subtaskIndex: number,
  maxParallelism: number,
): 'all' | 'some' | 'none' {
  if (receivers === parallelism) return receiver === subtaskIndex ? 'all' : 'none';
  if (parallelism === 1) return 'all';
  if (keys === null) return receiver % parallelism === subtaskIndex ? 'all' : 'none';
  for (let keyGroup = 0; keyGroup < maxParallelism; keyGroup++) {
    if (subtaskOfKeyGroup(keyGroup, maxParallelism, receivers) !== receiver) continue;
    if (subtaskOfKeyGroup(keyGroup, maxParallelism, parallelism) === subtaskIndex) return 'some';
  }
  return 'none';
}

/** Why rows cannot go on to where they were going; null where they can. `node` is what the step is part of now. */
export function channelProblem(handle: ChannelStateHandle, node: ChainNode, graph: JobGraph): string | null {
  const { stepId, input, schema, keys } = handle;
  const because = (reason: string): string =>
    `rows were on their way to it, and ${reason}; a savepoint of the job as it was has no such rows`;
  if (stepIdsOf(node)[0] !== stepId) return because(`it is one with ${stepIdsOf(node)[0] ?? 'another step'} now`);
  const present = inputOf(node, input);
  if (present === null) return because('it has no such input now');
  const vertex = graph.vertices.find(({ chain }) => chain.includes(node));
  const edge = graph.edges.find(({ id }) => vertex?.chain[0] === node && id === vertex.inputs[input]);
  const problem = schemaProblem(schema, present, unusedFields(node, vertex, graph));
  if (problem !== null) return because(problem);
  if (edge === undefined || vertex?.parallelism === 1 || edge.exchange.kind === 'forward') return null;
  const hashed = edge.exchange.kind === 'hash' ? edge.exchange.keys : null;
  const isSame = namesOf(schema, keys) === namesOf(edge.schema, hashed);
  return isSame ? null : because('they are spread by other fields now');
}

const namesOf = ({ fields }: RowSchema, keys: readonly number[] | null): string =>
  JSON.stringify(keys?.map((key) => fields[key]?.name) ?? null);

/** What a step reads; null where it has no such input. */
function inputOf(node: ChainNode, input: number): RowSchema | null {
  if (node.kind === 'source') return null;
  if (node.kind !== 'join') return node.input;
  return input === 0 ? node.left : input === 1 ? node.right : null;
}

/** Rows may lack fields that nobody uses: they are left out of exchanges, and there is one where it was none before. */
function schemaProblem(written: RowSchema, present: RowSchema, unused: ReadonlySet<string>): string | null {
  const types = new Map(present.fields.map(({ name, type }) => [name, JSON.stringify(type)]));
  for (const { name, type } of written.fields) {
    if (!types.has(name)) return `they have the field ${name}, which it does not read any more`;
    if (types.get(name) !== JSON.stringify(type)) return `their field ${name} is of another type`;
    types.delete(name);
  }
  const missing = [...types.keys()].find((name) => !unused.has(name));
  return missing === undefined ? null : `they lack the field ${missing}`;
}

/** Fields that an aggregation reads past. Other steps may pass on whatever comes. */
function unusedFields(node: ChainNode, vertex: JobVertex | undefined, { edges }: JobGraph): ReadonlySet<string> {
  if (node.kind !== 'aggregate' && node.kind !== 'window') return new Set();
  // Rows that come too late leave as they came.
  if (edges.some(({ from, side }) => from === vertex?.id && side !== undefined)) return new Set();
  const used = new Set([...node.keys, ...columnsIn(node.calls)]);
  return new Set(node.input.fields.filter((_, column) => !used.has(column)).map(({ name }) => name));
}

/** The columns that expressions anywhere in a value read. */
function columnsIn(value: unknown): readonly number[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'kind' in value && value.kind === 'column' && 'index' in value ? [Number(value.index)] : [];
  return [...own, ...Object.values(value).flatMap(columnsIn)];
}
