/**
 * What a checkpoint is made of, and the contracts of those who make one (docs/design/010 and 011).
 *
 * A checkpoint is a cut through the job (Carbone et al., arXiv 1506.08603): barriers divide every stream, each subtask
 * stores what it knew when the barrier had reached it on all inputs, and once all have done so a pointer moves.
 * All types here are plain data that survives JSON, but for StateChunk, StateSnapshot and the interfaces.
 */
import type { Split } from './connector.ts';
import type { StepId } from './ids.ts';
import type { KeyGroupRuns } from './key-group-watermarks.ts';
import type { OptionValue } from './options.ts';
import type { RowSchema } from './types.ts';

/** How a job is checkpointed; `checkpoint:` of the job file. Times in ms. */
export interface CheckpointSettings {
  readonly intervalMs: number;
  readonly mode: 'exactly-once' | 'at-least-once';
  /** A checkpoint that is not complete by then is aborted. */
  readonly timeoutMs: number;
  /** Between the end of one checkpoint and the start of the next. */
  readonly minPauseMs: number;
  /** Checkpoints in a row that may be aborted before the job fails. */
  readonly tolerableFailures: number;
  /** Completed checkpoints that are kept. */
  readonly retained: number;
  /** How long a subtask waits for barriers before they overtake what is in front of them; absent: for ever. */
  readonly alignmentTimeoutMs?: number;
  /** Absent: in the job's own folder. It holds secrets: nobody but those who open a storage is given it. */
  readonly storage?: CheckpointPlace;
}

/** Where a job keeps its checkpoints, as its file says it. */
export interface CheckpointPlace {
  /** A path or an `s3://` URL, below which the job has a place of its own; null for the job's own folder. */
  readonly location: string | null;
  /** For every `s3://` URL that the job deals with, those of savepoints too. */
  readonly s3: S3Access;
}

/**
 * How a service that speaks S3's protocol is reached, and as whom. What is absent is looked for as AWS's own tools do:
 * in the environment, in profiles, in what the machine or the container is given.
 */
export interface S3Access {
  /** A URL; absent for AWS. */
  readonly endpoint?: string;
  readonly region?: string;
  /** Buckets stand in the path, not in the host's name. */
  readonly pathStyle?: boolean;
  readonly accessKeyId?: string;
  /** A secret. */
  readonly secretAccessKey?: string;
  /** A secret. */
  readonly sessionToken?: string;
  /** A request that is not answered by then is sent again. */
  readonly timeoutMs?: number;
}

/** Which execution of a checkpointed job this is. Names what no other execution may ever use. */
export interface RunIdentity {
  /** Tells this cluster's jobs from those of another one on the same Kafka. */
  readonly clusterId: string;
  readonly jobName: string;
  /** Raised in the store before anything is deployed; no two attempts share one. From 1. */
  readonly generation: number;
  readonly settings: CheckpointSettings;
}

/** An earlier execution, as far as its leftovers can be found by it. */
export interface OlderRun {
  readonly generation: number;
  /** The largest parallelism of any of its steps. */
  readonly parallelism: number;
  /** As its CheckpointSettings said: bounds how much each subtask may have left open. Absent: as at present. */
  readonly tolerableFailures?: number;
  /** The only subtasks that may have left anything; absent for all (docs/design/022). */
  readonly subtasks?: readonly number[];
}

/**
 * Something that was written, is durable, and becomes visible when it is committed: a prepared transaction, a file
 * under its temporary name. `data` is what a committer needs, in another process too.
 */
export interface Committable {
  readonly stepId: StepId;
  readonly subtaskIndex: number;
  /** The first checkpoint that it belongs to. */
  readonly checkpointId: number;
  readonly data: Readonly<Record<string, OptionValue>>;
}

/**
 * A part of a subtask that writes outside the engine and takes it back unless a checkpoint completes. Call order:
 * at every barrier, and once more at the end of input, prepareCommit(), then any writes; commit() whenever a checkpoint
 * has completed, perhaps while prepareCommit() of a later one is pending. Nothing else of the part is called while
 * prepareCommit() is pending.
 */
export interface CommittingPart {
  /**
   * Everything that was taken before becomes durable, though not visible. Resolves to every handle that is not known to
   * be committed, those of earlier checkpoints too: an aborted checkpoint leaves its handles to the next one.
   */
  prepareCommit(checkpointId: number): Promise<readonly Committable[]>;
  /** Commits all handles up to this checkpoint. May be repeated. Rejects where that is impossible or unknown. */
  commit(checkpointId: number): Promise<void>;
}

/** Finishes, beside the JobMaster, what executions that are gone have left behind. Every call may be repeated. */
export interface Committer {
  /** Commits handles of a completed checkpoint. Rejects where one cannot be committed or its outcome is not known. */
  commit(handles: readonly Committable[]): Promise<void>;
  /**
   * Takes back everything else that these executions may have left open, as far as their `subtasks` go: others go on.
   * Called after commit(). The present one may be among them, once all its tasks have ended.
   */
  abortOlder(runs: readonly OlderRun[]): Promise<void>;
  close(): Promise<void>;
}

/** The layout of an operator's entries: what decides whether a later version of the step can read them. */
export interface StateSchema {
  /** The sort of operator, such as `aggregate` or `window`. */
  readonly kind: string;
  /** Of the encoding of entries. */
  readonly version: number;
  /** The fields that entries are keyed by, in order. */
  readonly key: RowSchema;
  /** What is kept per key, each part named so that added and dropped ones can be told. */
  readonly values: RowSchema;
  /** Anything else that must be equal, such as the window's size. */
  readonly settings: Readonly<Record<string, OptionValue>>;
}

/** Some entries of one key group, in the operator's own encoding; makes sense without any other chunk. */
export interface StateChunk {
  readonly keyGroup: number;
  /** Borrowed until the next call. */
  readonly bytes: Uint8Array;
  /** Its entries replace those of the same key that came before. Else no key comes twice. */
  readonly replaces?: boolean;
  /** Of a snapshot: wherever it comes, it is restored before those that do not say this. */
  readonly isOlder?: boolean;
}

/** What a snapshot may build on: the files of the last checkpoint that was confirmed to the state. */
export interface SnapshotBasis {
  /** Key groups that are to be written whole, so that earlier files are not needed for them any more. */
  readonly whole: ReadonlySet<number>;
}

/** The state as it was when the barrier passed. */
export interface StateSnapshot {
  /**
   * The next entries: at most about 64 KiB unless one entry is larger; null once all are taken. Called between batches,
   * which go on changing the state: whatever is about to change is kept for the snapshot first.
   */
  next(): StateChunk | null;
  /** Called once, after the last chunk or when nobody wants more. */
  release(): void;
  /** Present where entries may have to be read first: asked before each next(), which a promise holds back. */
  ready?(): Promise<void> | undefined;
  /**
   * Present where the chunks are only what has changed since the snapshot that was confirmed last (all entries for the
   * key groups of SnapshotBasis.whole): they replace entries of earlier files, and of earlier chunks. Called once the
   * checkpoint has completed, perhaps after release().
   */
  confirm?(): void;
}

/** What an operator with state offers, from the end of its open() on. One snapshot at a time. */
export interface OperatorState {
  readonly schema: StateSchema;
  /** Memory held, in bytes, roughly. */
  readonly sizeBytes: number;
  /**
   * Fixes the state as it is now, in less than a millisecond or two; copying happens later. A state that can tell what
   * has changed uses `basis`, where it is given (StateSnapshot.confirm); without it, all entries come.
   */
  snapshot(basis?: SnapshotBasis): StateSnapshot;
  /**
   * Takes entries back, between open() and everything else, in any order and from any number of earlier subtasks. Only
   * key groups of this subtask come; chunks that replace entries come after those entries. Throws
   * MR-STATE-INCOMPATIBLE where `written` cannot be read.
   */
  restore(chunk: StateChunk, written: StateSchema): void;
  /**
   * Present where restored entries may have to leave memory: called after each chunk, which is borrowed until it
   * resolves. Rejects as restore() throws.
   */
  settle?(): Promise<void>;
}

/** A file in checkpoint storage: written once, never changed. */
export interface StateFile {
  /** Relative to the storage's root; has the attempt and a random id in it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** CRC-32C of the whole file, as 8 hexadecimal digits. */
  readonly checksum: string;
}

/** Where the entries of one operator of one subtask are. */
export interface OperatorStateHandle {
  readonly stepId: StepId;
  readonly schema: StateSchema;
  readonly file: StateFile;
  /** Chunks: key group, position and length in the file; three numbers each. */
  readonly chunks: readonly number[];
  /**
   * Present where the state of a step and subtask is in several files: entries of a handle replace those of handles
   * with a lower number. Chunks of one handle, too: a later one replaces what an earlier one holds of the same key.
   */
  readonly order?: number;
}

/** Where rows were on their way when a barrier overtook them. */
export interface InFlightRoute {
  /** Who reads them, and the position in that step's `from` list. */
  readonly stepId: StepId;
  readonly input: number;
  /** The fields whose hash decided which subtask gets a row; null where any may take it. */
  readonly keys: readonly number[] | null;
  /** Subtasks; `receivers` is how many there were to choose from. */
  readonly sender: number;
  readonly receiver: number;
  readonly receivers: number;
  readonly schema: RowSchema;
}

/** Batches that were on their way from one subtask to another, or that a subtask had set aside before its sink. */
export interface ChannelStateHandle extends InFlightRoute {
  readonly file: StateFile;
  /** Batches in order: position and length in the file; two numbers each. Their encoding carries its version. */
  readonly batches: readonly number[];
}

/** What one subtask contributes to a checkpoint. */
export interface SubtaskSnapshot {
  readonly subtaskIndex: number;
  /** Of the source at its head; empty where it has none. */
  readonly splits: readonly Split[];
  /** The event time that it had reached; null before the first watermark. */
  readonly watermarkMs: number | null;
  /** Of its key groups, those that were further when it was restored, and are still; absent for none. */
  readonly ahead?: KeyGroupRuns;
  readonly operators: readonly OperatorStateHandle[];
  /** What the barrier overtook, oldest first; absent where that was nothing. Only with version 2 of the metadata. */
  readonly channels?: readonly ChannelStateHandle[];
  readonly committables: readonly Committable[];
  /** It had processed all its input: this is the last it has to say. */
  readonly isFinished: boolean;
}

/** A completed checkpoint or savepoint; the metadata file. */
export interface CheckpointMetadata {
  /** 2 where rows were on their way; else 1, which older builds read too. */
  readonly version: 1 | 2;
  readonly jobName: string;
  readonly checkpointId: number;
  readonly kind: 'checkpoint' | 'savepoint';
  readonly generation: number;
  readonly triggeredAtMs: number;
  readonly completedAtMs: number;
  readonly maxParallelism: number;
  readonly vertices: readonly CheckpointedVertex[];
}

export interface CheckpointedVertex {
  readonly vertexId: string;
  /** The step ids of its chain: state is found by step, not by vertex. */
  readonly stepIds: readonly StepId[];
  readonly parallelism: number;
  /** One per subtask, by index. */
  readonly subtasks: readonly SubtaskSnapshot[];
}

/** Where a completed checkpoint is: what the store of jobs keeps. */
export interface CheckpointPointer {
  readonly checkpointId: number;
  readonly kind: 'checkpoint' | 'savepoint';
  readonly metadata: StateFile;
  readonly completedAtMs: number;
}

/** Writes one state file. */
export interface StateFileWriter {
  /** Resolves when more can be taken; the bytes are free then. Resolves to the position at which they stand. */
  append(bytes: Uint8Array): Promise<number>;
  /** Makes the file durable, reads it back and compares. Then nothing but dropping the writer follows. */
  finish(): Promise<StateFile>;
  /** Instead of finish(): removes what was written. */
  abort(): Promise<void>;
}

export interface StateFileReader {
  /** Rejects with MR-STATE-DAMAGED where the file is missing, short or changed. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
  /** Whether what read() has last resolved to came from this machine's copy of the file (docs/design/024). */
  readonly isLocal?: boolean;
}

/**
 * Given all of a file in order while it is checked; the bytes are borrowed until it resolves. Position 0 comes again
 * where the file is looked for in another place.
 */
export type StateFileObserver = (bytes: Uint8Array, position: number) => Promise<void>;

/**
 * Where checkpoints are kept: a directory or an object store that every process of the job reaches. What it is made
 * from is plain data (CheckpointStorageConfig), so that every slot's thread opens its own.
 */
export interface CheckpointStorage {
  /** `owner` goes into the name, such as an attempt's id; so does a random id. */
  createFile(checkpointId: number, owner: string): Promise<StateFileWriter>;
  /** Checks the whole file against its size and checksum first: MR-STATE-DAMAGED. A storage need not know `observe`. */
  openFile(file: StateFile, observe?: StateFileObserver): Promise<StateFileReader>;
  /** Durable and read back when it resolves. */
  writeMetadata(metadata: CheckpointMetadata): Promise<StateFile>;
  /** MR-STATE-DAMAGED, or MR-STATE-NEWER-VERSION for a file of a later version. */
  readMetadata(file: StateFile): Promise<CheckpointMetadata>;
  /** The metadata of a checkpoint or savepoint that stands at a path or URL that an operator has given. */
  findMetadata(location: string): Promise<StateFile>;
  /** Harmless for a file that is gone. */
  remove(name: string): Promise<void>;
  /** The names of all files, for cleaning up what no pointer names. */
  list(): Promise<readonly string[]>;
}

export type CheckpointStorageRoot =
  /** An absolute path. */
  | { readonly kind: 'directory'; readonly path: string }
  /** Keys begin with `prefix`, which neither begins nor ends with a slash; empty for the bucket itself. */
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string };

export type CheckpointStorageConfig = CheckpointStorageRoot & {
  readonly s3?: S3Access;
  /** Where the job kept its checkpoints before: files that are still needed are read and removed there. */
  readonly older?: readonly CheckpointStorageRoot[];
};
