import type { Exchange } from '../job/job-graph.ts';
import type { LogicalNode, RowStream } from '../logical/logical-graph.ts';

/**
 * The fields by whose key group a node's rows are spread over its subtasks, in order, or null where they are spread
 * in no such way.
 */
export type Partitioning = readonly number[] | null;

/** How a node's output is partitioned, from how its first input is (after its exchange). */
export function partitioningOf(node: LogicalNode, input: Partitioning): Partitioning {
  switch (node.kind) {
    case 'source':
    case 'union':
    case 'sink':
      return null;
    case 'filter':
      return input;
    case 'aggregate':
      // Key fields come first, and the exchange in front spread them.
      return node.keys.length === 0 ? null : node.keys.map((_, position) => position);
    case 'select':
      return follow(input, (key) =>
        node.fields.findIndex(({ expression: e }) => e.kind === 'column' && e.index === key),
      );
    case 'flat-map':
      return follow(input, (key) => node.kept.indexOf(key));
  }
}

function follow(input: Partitioning, position: (key: number) => number): Partitioning {
  const moved = input?.map(position) ?? null;
  return moved === null || moved.some((index) => index < 0) ? null : moved;
}

/**
 * How rows go from one node to the next. Equal lists of keys only count as partitioned already: state is kept by the
 * key group of the whole key, and a part of it hashes to other groups.
 */
export function chooseExchange(
  from: LogicalNode,
  to: LogicalNode,
  stream: RowStream,
  partitioning: Partitioning,
): Exchange {
  const sameParallelism = from.parallelism === to.parallelism;
  const isOne = sameParallelism && to.parallelism === 1;
  if (to.kind === 'aggregate' && to.keys.length > 0 && !isOne) {
    const isPartitioned = sameParallelism && partitioning !== null && sameList(partitioning, to.keys);
    return isPartitioned ? { kind: 'forward' } : { kind: 'hash', keys: to.keys };
  }
  if (sameParallelism) return { kind: 'forward' };
  // Rows that replace each other must stay in order: all of one key through one channel.
  if (stream.changelog !== 'append') return { kind: 'hash', keys: stream.uniqueKeys[0] ?? [] };
  return { kind: 'rebalance' };
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
