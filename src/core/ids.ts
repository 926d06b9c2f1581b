/** Ids are branded strings, so that one kind is never passed for another. */
declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** The `id` of a step in the job file; state is keyed by it. */
export type StepId = Id<'StepId'>;
/** 32 hexadecimal digits, as Flink's JobID. */
export type JobId = Id<'JobId'>;
/** A vertex of the job graph: 32 hexadecimal digits, stable across submissions of the same job file. */
export type VertexId = Id<'VertexId'>;
export type EdgeId = Id<'EdgeId'>;
/** One parallel instance of a vertex: `<vertex>_<index>`. */
export type SubtaskId = Id<'SubtaskId'>;
/** One execution of a subtask: `<subtask>_<attempt number>`. */
export type AttemptId = Id<'AttemptId'>;
export type TaskManagerId = Id<'TaskManagerId'>;
export type SlotId = Id<'SlotId'>;
/** One unit of a source that moves whole, such as a topic's partition or a file. */
export type SplitId = Id<'SplitId'>;

export const stepId = (id: string): StepId => id as StepId;
export const jobId = (id: string): JobId => id as JobId;
export const vertexId = (id: string): VertexId => id as VertexId;
export const edgeId = (id: string): EdgeId => id as EdgeId;
export const taskManagerId = (id: string): TaskManagerId => id as TaskManagerId;
export const slotId = (id: string): SlotId => id as SlotId;
export const splitId = (id: string): SplitId => id as SplitId;
export const subtaskId = (vertex: VertexId, index: number): SubtaskId => `${vertex}_${index}` as SubtaskId;
export const attemptId = (subtask: SubtaskId, attempt: number): AttemptId => `${subtask}_${attempt}` as AttemptId;
