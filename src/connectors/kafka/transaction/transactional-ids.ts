/** Transactional ids: the only place that builds them. See docs/design/012. */

/** A step of one run of a job, as far as its ids go. */
export interface TransactionOwner {
  readonly prefix: string;
  readonly jobName: string;
  readonly stepId: string;
  /** No two attempts share one. */
  readonly generation: number;
}

/** The most ids that a subtask may have. */
export const MAX_POOL_SIZE = 100;
/** The open transaction, that of the checkpoint under way, and that of the one that is being committed. */
const LEAST_POOL_SIZE = 3;

/** How many ids a subtask needs to go on through so many failed checkpoints. */
export function poolSize(tolerableFailures: number): number {
  return tolerableFailures + LEAST_POOL_SIZE;
}

/** The id of a subtask's k-th place in its pool. */
export function transactionalId(owner: TransactionOwner, subtaskIndex: number, k: number): string {
  return `${prefixOf(owner)}/${subtaskIndex}/${k}`;
}

/** An id that no subtask has, to find out before anything runs whether ids of this owner may be used. */
export function checkingId(owner: TransactionOwner): string {
  return `${prefixOf(owner)}/check`;
}

/** Names may hold slashes; encoded, no two owners give the same text. */
function prefixOf({ prefix, jobName, stepId, generation }: TransactionOwner): string {
  return `${prefix}/${encodeURIComponent(jobName)}/${encodeURIComponent(stepId)}/${generation}`;
}
