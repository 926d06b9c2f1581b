import type { Exchange } from '../job/job-graph.ts';
import { isKeyType } from '../logical/key-type.ts';
import type { LogicalEdge, LogicalNode, RowStream } from '../logical/logical-graph.ts';

/**
 * The fields by whose key group a node's rows are spread over its subtasks, in order, or null where they are spread
 * in no such way.
 */
export type Partitioning = readonly number[] | null;

/** How a node's output is partitioned, from how its first input is (after its exchange). */
export function partitioningOf(node: LogicalNode, input: Partitioning): Partitioning {
  switch (node.kind) {
    case 'source':
    case 'side':
    case 'union':
    case 'sink':
      return null;
    case 'filter':
      return input;
    case 'process':
      return node.role === 'filter' ? input : null;
    case 'aggregate':
    case 'window':
      // Key fields come first, and the exchange in front spread them.
      return node.keys.length === 0 ? null : node.keys.map((_, position) => position);
    case 'dedupe':
      return node.keys;
    case 'normalise':
      return node.keys.length === 0 ? null : node.keys;
    case 'top-n':
      return node.keys.length === 0 ? null : node.keys;
    case 'join':
      // The other side's keys are NULL in rows without a partner.
      if (node.type === 'full') return null;
      return node.type === 'right' ? node.rightKeys.map((key) => node.leftFields + key) : node.leftKeys;
    case 'select':
      return follow(input, (key) =>
        node.fields.findIndex(({ expression: e }) => e.kind === 'column' && e.index === key),
      );
    case 'flat-map':
    case 'lookup':
      return follow(input, (key) => node.kept.indexOf(key));
  }
}

function follow(input: Partitioning, position: (key: number) => number): Partitioning {
  const moved = input?.map(position) ?? null;
  return moved === null || moved.some((index) => index < 0) ? null : moved;
}

/** The fields by which rows that a node reads must be spread, so that all of one key meet; null where it is all one. */
function keysOf(node: LogicalNode, input: number): readonly number[] | null {
  switch (node.kind) {
    case 'aggregate':
    case 'normalise':
    case 'window':
    case 'dedupe':
    case 'top-n':
    case 'process':
      return node.keys.length === 0 ? null : node.keys;
    case 'join':
      return input === 0 ? node.leftKeys : node.rightKeys;
    default:
      return null;
  }
}

/**
 * How rows go from one node to the next. Equal lists of keys only count as partitioned already: state is kept by the
 * key group of the whole key, and a part of it hashes to other groups.
 */
export function chooseExchange(
  from: LogicalNode,
  to: LogicalNode,
  { stream, input }: Pick<LogicalEdge, 'stream' | 'input'>,
  partitioning: Partitioning,
): Exchange {
  const sameParallelism = from.parallelism === to.parallelism;
  const isOne = sameParallelism && to.parallelism === 1;
  const keys = keysOf(to, input);
  if (keys !== null && !isOne) {
    const isPartitioned = sameParallelism && partitioning !== null && sameList(partitioning, keys);
    return isPartitioned ? { kind: 'forward' } : { kind: 'hash', keys };
  }
  if (sameParallelism) return { kind: 'forward' };
  return stream.changelog === 'append' ? { kind: 'rebalance' } : { kind: 'hash', keys: orderKeys(stream) };
}

/** Rows that replace or take back each other must stay in order: all of one key through one channel. */
function orderKeys({ schema, uniqueKeys }: RowStream): readonly number[] {
  const key = uniqueKeys[0];
  if (key !== undefined) return key;
  // A row is taken back as it was: equal rows have equal fields.
  return schema.fields.flatMap(({ type }, index) => (isKeyType(type) ? [index] : []));
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
