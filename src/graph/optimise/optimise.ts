import type { LogicalGraph } from '../logical/logical-graph.ts';
import { assignParallelism } from './assign-parallelism.ts';
import { dropIdentitySelects } from './drop-identity-selects.ts';
import { foldExpressions } from './fold-expressions.ts';
import { pruneColumns } from './prune-columns.ts';
import { pushFilters } from './push-filters.ts';

/** The same job with less work: every node has its parallelism afterwards. Each pass leaves an equivalent graph. */
export function optimise(graph: LogicalGraph): LogicalGraph {
  // Filters first: a field that only a pushed filter reads need not leave the decoder.
  return dropIdentitySelects(pruneColumns(pushFilters(foldExpressions(assignParallelism(graph)))));
}
