/**
 * Decides when checkpoints are taken, when one is complete, and when it is given up (docs/design/011). Pure: facts and
 * the time go in, a new state and decisions come out; the Checkpointer does what they say.
 *
 *   idle → collecting (contributions of all tasks) → writing (metadata) → moving (pointer) → completed
 *
 * and from each of them to aborted, but that nothing but an error of its own write aborts `moving`: whether the pointer
 * has moved is decided in the store. Every id that is triggered is completed or aborted, once.
 */
import type { AttemptId, CheckpointSettings, SerializedError, SubtaskSnapshot } from '../../core/index.ts';

export interface CoordinatedTask {
  readonly attemptId: AttemptId;
  /** Barriers start here. */
  readonly isSource: boolean;
}

export type CheckpointFact =
  /** A new execution. All tasks of the one before have ended, and no checkpoint of it is pending. */
  | { readonly kind: 'deployed'; readonly tasks: readonly CoordinatedTask[] }
  /** `share` of the interval passes before the first checkpoint, all of it if left out. */
  | { readonly kind: 'all-running'; readonly share?: number }
  /** Nothing but that it is later now. */
  | { readonly kind: 'time-passed' }
  /** Ids below this one may be used. */
  | { readonly kind: 'ids-reserved'; readonly upTo: number }
  /** `isEndured`: it does not count as a failure. */
  | { readonly kind: 'reserving-failed'; readonly error: SerializedError; readonly isEndured?: boolean }
  | {
      readonly kind: 'acknowledged';
      readonly attemptId: AttemptId;
      readonly checkpointId: number;
      readonly snapshot: SubtaskSnapshot;
    }
  | {
      readonly kind: 'declined';
      readonly attemptId: AttemptId;
      readonly checkpointId: number;
      readonly error: SerializedError;
    }
  /** It has processed all its input. */
  | { readonly kind: 'ended'; readonly attemptId: AttemptId; readonly snapshot: SubtaskSnapshot }
  /** It has committed its last, and is gone. */
  | { readonly kind: 'finished'; readonly attemptId: AttemptId }
  | { readonly kind: 'metadata-written'; readonly checkpointId: number }
  | { readonly kind: 'pointer-moved'; readonly checkpointId: number }
  | {
      readonly kind: 'write-failed';
      readonly checkpointId: number;
      readonly error: SerializedError;
      readonly isEndured?: boolean;
    }
  /** What the task prepared for a completed checkpoint is committed. */
  | { readonly kind: 'committed'; readonly attemptId: AttemptId; readonly checkpointId: number }
  /** Somebody wants a savepoint; none is under way. */
  | { readonly kind: 'savepoint-requested'; readonly stopsSources: boolean; readonly drains?: boolean }
  /** It stands where it was wanted, or that has failed. */
  | { readonly kind: 'savepoint-ended'; readonly isWritten: boolean }
  /** These tasks are no more; all others go on. Nothing is begun until all run again. No savepoint is wanted. */
  | { readonly kind: 'partly-stopped'; readonly tasks: ReadonlySet<AttemptId> }
  /** Others stand in their place. No checkpoint is pending. */
  | { readonly kind: 'partly-deployed'; readonly tasks: readonly CoordinatedTask[] }
  /** The job fails, is cancelled or has finished: its tasks are no more. */
  | { readonly kind: 'stopped' };

export type AbortReason = 'timeout' | 'declined' | 'write-failed' | 'stopped';

/** `ending`: no barrier passes through the job any more. */
type RefusalReason = AbortReason | 'ending';

export type CheckpointDecision =
  | { readonly kind: 'reserve-ids' }
  /** The trigger goes to these tasks; to none where all have ended. `expected` is how many contribute. */
  | {
      readonly kind: 'trigger';
      readonly checkpointId: number;
      readonly tasks: readonly AttemptId[];
      readonly expected: number;
      /** They give nothing behind this barrier. */
      readonly stopsSources?: true;
      /** Event time is at its end in front of the barrier. */
      readonly drains?: true;
      /** The barrier overtakes nothing: a savepoint, which a changed job can be started from. */
      readonly isAligned?: true;
    }
  | {
      readonly kind: 'write-metadata';
      readonly checkpointId: number;
      readonly contributions: ReadonlyMap<AttemptId, SubtaskSnapshot>;
    }
  | { readonly kind: 'move-pointer'; readonly checkpointId: number }
  /** These tasks are told. */
  | { readonly kind: 'complete'; readonly checkpointId: number; readonly tasks: readonly AttemptId[] }
  | {
      readonly kind: 'abort';
      readonly checkpointId: number;
      readonly reason: AbortReason;
      readonly error: SerializedError | null;
      readonly tasks: readonly AttemptId[];
    }
  /** The checkpoint has completed and all of its output is committed: it may be copied. `savepoint-ended` follows. */
  | { readonly kind: 'write-savepoint'; readonly checkpointId: number }
  /** There will be none. */
  | { readonly kind: 'savepoint-failed'; readonly reason: RefusalReason; readonly error: SerializedError | null }
  /** The job goes on after all. */
  | { readonly kind: 'resume-sources'; readonly checkpointId: number; readonly tasks: readonly AttemptId[] }
  /** Nothing will ever need the files of these, but for those that a completed checkpoint names. */
  | { readonly kind: 'discard'; readonly snapshots: readonly SubtaskSnapshot[] }
  | { readonly kind: 'fail-job'; readonly failures: number; readonly error: SerializedError | null };

interface CoordinatorTaskState {
  readonly isSource: boolean;
  /** Its last word: a contribution to every checkpoint that it has not acknowledged. Null while it has input. */
  readonly final: SubtaskSnapshot | null;
  readonly isFinished: boolean;
}

interface Contribution {
  readonly snapshot: SubtaskSnapshot;
  readonly isFinal: boolean;
}

interface PendingCheckpoint {
  readonly id: number;
  readonly phase: 'collecting' | 'writing' | 'moving';
  readonly deadlineMs: number;
  readonly contributions: ReadonlyMap<AttemptId, Contribution>;
}

/**
 * A savepoint is a checkpoint like any other, taken at once, that is copied when its output is committed: a crash at
 * any time leaves the job with its checkpoint, and whoever finds the copy has to commit nothing.
 */
interface Savepoint {
  readonly phase: 'requested' | 'collecting' | 'committing' | 'writing';
  readonly stopsSources: boolean;
  readonly drains: boolean;
  /** Null while it is only requested. */
  readonly checkpointId: number | null;
  /** Tasks that have not committed yet. */
  readonly uncommitted: ReadonlySet<AttemptId>;
}

export interface CoordinatorState {
  readonly settings: CheckpointSettings;
  readonly tasks: ReadonlyMap<AttemptId, CoordinatorTaskState>;
  /** From the time that all tasks run until the job stops. */
  readonly isRunning: boolean;
  readonly nextId: number;
  readonly reservedUpTo: number;
  readonly isReserving: boolean;
  readonly pending: PendingCheckpoint | null;
  readonly savepoint: Savepoint | null;
  readonly failuresInRow: number;
  /** When the next one may be triggered by the clock. */
  readonly dueMs: number;
  /** The last checkpoint is not taken before. */
  readonly lastNotBeforeMs: number;
  /** A checkpoint of final snapshots alone has completed. */
  readonly isLastDone: boolean;
}

export interface CoordinatorStep {
  readonly state: CoordinatorState;
  readonly decisions: readonly CheckpointDecision[];
}

/** After an error the last checkpoint is not tried again sooner. */
const MIN_RETRY_MS = 1000;

/** `firstId` is the first that may be used, once ids are reserved. */
export function idleCoordinator(settings: CheckpointSettings, firstId: number): CoordinatorState {
  return {
    settings,
    tasks: new Map(),
    isRunning: false,
    nextId: firstId,
    reservedUpTo: firstId,
    isReserving: false,
    pending: null,
    savepoint: null,
    failuresInRow: 0,
    dueMs: Infinity,
    lastNotBeforeMs: -Infinity,
    isLastDone: false,
  };
}

/** Takes one fact in. `nowMs` is of a clock that never goes back. */
export function coordinate(state: CoordinatorState, fact: CheckpointFact, nowMs: number): CoordinatorStep {
  return then(takeIn(state, fact, nowMs), (next) => conclude(next, nowMs));
}

/** When a `time-passed` is wanted; null while only other facts matter. */
export function wakeAtMs(state: CoordinatorState): number | null {
  const { pending } = state;
  if (pending !== null) return pending.phase === 'moving' ? null : pending.deadlineMs;
  if (!state.isRunning || state.isReserving || state.isLastDone || isCopying(state)) return null;
  if (haveAllEnded(state)) return state.lastNotBeforeMs;
  return hasLiveSource(state) ? state.dueMs : null;
}

function takeIn(state: CoordinatorState, fact: CheckpointFact, nowMs: number): CoordinatorStep {
  switch (fact.kind) {
    case 'deployed':
      return deployed(state, fact.tasks);
    case 'all-running': {
      if (state.tasks.size === 0) return just(state);
      const dueMs = nowMs + (fact.share ?? 1) * state.settings.intervalMs;
      return just({ ...state, isRunning: true, dueMs });
    }
    case 'time-passed':
      return just(state);
    case 'ids-reserved':
      return just({ ...state, isReserving: false, reservedUpTo: Math.max(state.reservedUpTo, fact.upTo) });
    case 'reserving-failed':
      return reservingFailed({ ...retryLater(state, nowMs), isReserving: false }, fact.error, fact.isEndured, nowMs);
    case 'acknowledged':
      return acknowledged(state, fact.attemptId, fact.checkpointId, fact.snapshot);
    case 'declined': {
      const { pending, tasks } = state;
      const isWanted = pending?.id === fact.checkpointId && pending.phase === 'collecting' && tasks.has(fact.attemptId);
      if (!isWanted || pending.contributions.has(fact.attemptId)) return just(state);
      return abort(state, pending, 'declined', fact.error, nowMs);
    }
    case 'ended':
      return ended(state, fact.attemptId, fact.snapshot);
    case 'finished':
      return just(finished(state, fact.attemptId));
    case 'metadata-written': {
      const { pending } = state;
      if (pending?.id !== fact.checkpointId || pending.phase !== 'writing') return just(state);
      const decision = { kind: 'move-pointer', checkpointId: pending.id } as const;
      return { state: { ...state, pending: { ...pending, phase: 'moving' } }, decisions: [decision] };
    }
    case 'pointer-moved':
      return pointerMoved(state, fact.checkpointId, nowMs);
    case 'write-failed': {
      const { pending } = state;
      if (pending?.id !== fact.checkpointId || pending.phase === 'collecting') return just(state);
      return abort(state, pending, 'write-failed', fact.error, nowMs, fact.isEndured);
    }
    case 'committed':
      return just(committed(state, fact.attemptId, fact.checkpointId));
    case 'savepoint-requested': {
      const { stopsSources, drains = false } = fact;
      const nothing = { checkpointId: null, uncommitted: new Set<AttemptId>() };
      const wanted: Savepoint = { phase: 'requested', stopsSources, drains, ...nothing };
      return just({ ...state, savepoint: wanted });
    }
    case 'savepoint-ended':
      return savepointEnded(state, fact.isWritten);
    case 'partly-stopped':
      return partlyStopped(state, fact.tasks, nowMs);
    case 'partly-deployed':
      return just({ ...state, tasks: new Map([...state.tasks, ...begun(fact.tasks)]), isLastDone: false });
    case 'stopped':
      return stopped(state, nowMs);
  }
}

function begun(tasks: readonly CoordinatedTask[]): readonly (readonly [AttemptId, CoordinatorTaskState])[] {
  return tasks.map(({ attemptId, isSource }) => [attemptId, { isSource, final: null, isFinished: false }]);
}

function partlyStopped(
  state: CoordinatorState,
  stoppedTasks: ReadonlySet<AttemptId>,
  nowMs: number,
): CoordinatorStep {
  const { pending } = state;
  const finals = [...state.tasks].flatMap(([id, { final }]) => (stoppedTasks.has(id) && final !== null ? [final] : []));
  const tasks = new Map([...state.tasks].filter(([id]) => !stoppedTasks.has(id)));
  const left: CoordinatorState = { ...state, tasks, isRunning: false };
  // If the pointer is moving, what they had at their ends is in it.
  const isMoving = pending?.phase === 'moving';
  const discard = finals.length === 0 || isMoving ? [] : [{ kind: 'discard' as const, snapshots: finals }];
  const step: CoordinatorStep = { state: left, decisions: discard };
  return pending === null || isMoving ? step : then(step, (next) => abort(next, pending, 'stopped', null, nowMs));
}

function reservingFailed(
  state: CoordinatorState,
  error: SerializedError,
  isEndured: boolean | undefined,
  nowMs: number,
): CoordinatorStep {
  if (isEndured !== true) return countFailure(state, error);
  return just({ ...state, dueMs: Math.max(state.dueMs, nowMs + MIN_RETRY_MS) });
}

function deployed(state: CoordinatorState, tasks: readonly CoordinatedTask[]): CoordinatorStep {
  if (state.pending !== null) throw new Error(`checkpoint ${state.pending.id} is pending while tasks are deployed`);
  return just({
    ...state,
    tasks: new Map(begun(tasks)),
    isRunning: false,
    failuresInRow: 0,
    dueMs: Infinity,
    lastNotBeforeMs: -Infinity,
    isLastDone: false,
  });
}

function acknowledged(
  state: CoordinatorState,
  attemptId: AttemptId,
  checkpointId: number,
  snapshot: SubtaskSnapshot,
): CoordinatorStep {
  const { pending } = state;
  if (pending?.id !== checkpointId || !state.tasks.has(attemptId)) {
    return { state, decisions: [{ kind: 'discard', snapshots: [snapshot] }] };
  }
  return just(contribute(state, attemptId, { snapshot, isFinal: false }));
}

function ended(state: CoordinatorState, attemptId: AttemptId, snapshot: SubtaskSnapshot): CoordinatorStep {
  const task = state.tasks.get(attemptId);
  if (task === undefined) return { state, decisions: [{ kind: 'discard', snapshots: [snapshot] }] };
  if (task.final !== null) return just(state);
  const tasks = new Map(state.tasks).set(attemptId, { ...task, final: snapshot });
  return just(contribute({ ...state, tasks }, attemptId, { snapshot, isFinal: true }));
}

/** Its handles are committed, so nobody has to do so again. */
function finished(state: CoordinatorState, attemptId: AttemptId): CoordinatorState {
  const task = state.tasks.get(attemptId);
  if (task === undefined) return state;
  const final = task.final === null ? null : { ...task.final, committables: [] };
  const tasks = new Map(state.tasks).set(attemptId, { ...task, final, isFinished: true });
  const checkpointId = state.savepoint?.checkpointId ?? null;
  return checkpointId === null ? { ...state, tasks } : committed({ ...state, tasks }, attemptId, checkpointId);
}

function committed(state: CoordinatorState, attemptId: AttemptId, checkpointId: number): CoordinatorState {
  const { savepoint } = state;
  if (savepoint?.phase !== 'committing' || savepoint.checkpointId !== checkpointId) return state;
  const uncommitted = new Set(savepoint.uncommitted);
  uncommitted.delete(attemptId);
  return { ...state, savepoint: { ...savepoint, uncommitted } };
}

function savepointEnded(state: CoordinatorState, isWritten: boolean): CoordinatorStep {
  const { savepoint } = state;
  const ended = { ...state, savepoint: null };
  const checkpointId = savepoint?.checkpointId ?? null;
  if (isWritten || checkpointId === null || savepoint?.stopsSources !== true) return just(ended);
  return { state: ended, decisions: [{ kind: 'resume-sources', checkpointId, tasks: liveSources(state) }] };
}

function contribute(state: CoordinatorState, attemptId: AttemptId, contribution: Contribution): CoordinatorState {
  const { pending } = state;
  if (pending?.phase !== 'collecting' || pending.contributions.has(attemptId)) return state;
  const contributions = new Map(pending.contributions).set(attemptId, contribution);
  return { ...state, pending: { ...pending, contributions } };
}

function pointerMoved(state: CoordinatorState, checkpointId: number, nowMs: number): CoordinatorStep {
  const { pending, tasks } = state;
  if (pending?.id !== checkpointId || pending.phase !== 'moving') return just(state);
  const isLast = tasks.size > 0 && [...tasks.keys()].every((id) => pending.contributions.get(id)?.isFinal === true);
  const told = [...tasks].filter(([, task]) => !task.isFinished).map(([attemptId]) => attemptId);
  const { savepoint } = state;
  const isSavepoint = savepoint?.phase === 'collecting' && savepoint.checkpointId === checkpointId;
  const next = isSavepoint ? { ...savepoint, phase: 'committing' as const, uncommitted: new Set(told) } : savepoint;
  return {
    state: { ...pause(state, nowMs), pending: null, savepoint: next, failuresInRow: 0, isLastDone: isLast },
    decisions: [{ kind: 'complete', checkpointId, tasks: told }],
  };
}

function stopped(state: CoordinatorState, nowMs: number): CoordinatorStep {
  const { pending } = state;
  const finals = [...state.tasks.values()].flatMap(({ final }) => final ?? []);
  const gone: CoordinatorState = { ...state, tasks: new Map(), isRunning: false };
  const failed = state.savepoint?.phase === 'writing' ? just(gone) : failSavepoint(gone, 'stopped', null);
  const discard: CoordinatorStep = {
    state: failed.state,
    decisions: [...failed.decisions, ...(finals.length === 0 ? [] : [{ kind: 'discard' as const, snapshots: finals }])],
  };
  if (pending === null || pending.phase === 'moving') return discard;
  return then(discard, (next) => abort(next, pending, 'stopped', null, nowMs));
}

function failSavepoint(
  state: CoordinatorState,
  reason: RefusalReason,
  error: SerializedError | null,
): CoordinatorStep {
  if (state.savepoint === null) return just(state);
  return { state: { ...state, savepoint: null }, decisions: [{ kind: 'savepoint-failed', reason, error }] };
}

/** What follows now, whatever has happened. */
function conclude(state: CoordinatorState, nowMs: number): CoordinatorStep {
  return then(concludeSavepoint(state), (next) => concludeCheckpoint(next, nowMs));
}

function concludeSavepoint(state: CoordinatorState): CoordinatorStep {
  const { savepoint, pending, isRunning } = state;
  if (savepoint === null) return just(state);
  // No barrier is coming any more; the last checkpoint is all that there will be.
  const isTooLate = isRunning && pending === null && !hasLiveSource(state);
  if (savepoint.phase === 'requested' && isTooLate) return failSavepoint(state, 'ending', null);
  if (savepoint.phase !== 'committing' || savepoint.checkpointId === null || savepoint.uncommitted.size > 0) {
    return just(state);
  }
  const decision = { kind: 'write-savepoint', checkpointId: savepoint.checkpointId } as const;
  return { state: { ...state, savepoint: { ...savepoint, phase: 'writing' } }, decisions: [decision] };
}

function concludeCheckpoint(state: CoordinatorState, nowMs: number): CoordinatorStep {
  const { pending } = state;
  if (pending === null) return considerStart(state, nowMs);
  const { id, phase, contributions } = pending;
  if (phase === 'collecting' && [...state.tasks.keys()].every((attemptId) => contributions.has(attemptId))) {
    const snapshots = new Map([...contributions].map(([attemptId, { snapshot }]) => [attemptId, snapshot]));
    return {
      state: { ...state, pending: { ...pending, phase: 'writing' } },
      decisions: [{ kind: 'write-metadata', checkpointId: id, contributions: snapshots }],
    };
  }
  if (phase === 'moving' || nowMs < pending.deadlineMs) return just(state);
  return then(abort(state, pending, 'timeout', null, nowMs), (next) => considerStart(next, nowMs));
}

function considerStart(state: CoordinatorState, nowMs: number): CoordinatorStep {
  const { isRunning, isReserving, isLastDone, nextId, settings, tasks } = state;
  // The files of the one that is copied stay as long as no later one completes.
  if (!isRunning || isReserving || isLastDone || isCopying(state)) return just(state);
  const isLast = haveAllEnded(state);
  const wanted = state.savepoint?.phase === 'requested' ? state.savepoint : null;
  const isDue = wanted !== null || nowMs >= state.dueMs;
  if (isLast ? nowMs < state.lastNotBeforeMs : !isDue || !hasLiveSource(state)) return just(state);
  if (nextId >= state.reservedUpTo) {
    return { state: { ...state, isReserving: true }, decisions: [{ kind: 'reserve-ids' }] };
  }
  const finals = [...tasks].flatMap(([attemptId, { final }]): [AttemptId, Contribution][] =>
    final === null ? [] : [[attemptId, { snapshot: final, isFinal: true }]],
  );
  const pending: PendingCheckpoint = {
    id: nextId,
    phase: 'collecting',
    deadlineMs: nowMs + settings.timeoutMs,
    contributions: new Map(finals),
  };
  const savepoint: Savepoint | null =
    wanted === null ? state.savepoint : { ...wanted, phase: 'collecting', checkpointId: nextId };
  const trigger = { kind: 'trigger', checkpointId: nextId, tasks: liveSources(state), expected: tasks.size } as const;
  const step: CoordinatorStep = {
    state: { ...state, pending, savepoint, nextId: nextId + 1, dueMs: nowMs + settings.intervalMs },
    decisions: [
      {
        ...trigger,
        ...(wanted === null ? {} : { isAligned: true }),
        ...(wanted?.stopsSources === true ? { stopsSources: true } : {}),
        ...(wanted?.drains === true ? { drains: true } : {}),
      },
    ],
  };
  return isLast ? then(step, (next) => conclude(next, nowMs)) : step;
}

function abort(
  state: CoordinatorState,
  pending: PendingCheckpoint,
  reason: AbortReason,
  error: SerializedError | null,
  nowMs: number,
  isEndured = false,
): CoordinatorStep {
  const { id: checkpointId, contributions, phase } = pending;
  const { savepoint } = state;
  const isSavepoint = savepoint?.checkpointId === checkpointId;
  const isStopping = isSavepoint && savepoint.stopsSources;
  const waiting = [...state.tasks].filter(
    ([attemptId, { final, isSource }]) =>
      final === null && (!contributions.has(attemptId) || (isStopping && isSource)),
  );
  const decisions: CheckpointDecision[] = [
    { kind: 'abort', checkpointId, reason, error, tasks: waiting.map(([attemptId]) => attemptId) },
  ];
  // Final snapshots will be needed again; and if the pointer has moved nevertheless, all of them are needed.
  const useless = [...contributions.values()].filter(({ isFinal }) => !isFinal).map(({ snapshot }) => snapshot);
  if (phase !== 'moving' && useless.length > 0) decisions.push({ kind: 'discard', snapshots: useless });
  const after = { ...retryLater(state, nowMs), pending: null };
  const failed = isSavepoint ? failSavepoint(after, reason, error) : just(after);
  const aborted: CoordinatorStep = { state: failed.state, decisions: [...decisions, ...failed.decisions] };
  // Once no source is left that sends barriers, the checkpoint may have to wait for the end of all tasks.
  const mayWait = reason === 'timeout' && phase === 'collecting' && !hasLiveSource(state);
  const isOwnFault = reason !== 'stopped' && !mayWait && !isEndured;
  return isOwnFault ? then(aborted, (next) => countFailure(next, error)) : aborted;
}

function countFailure(state: CoordinatorState, error: SerializedError | null): CoordinatorStep {
  if (!state.isRunning) return just(state);
  const failuresInRow = state.failuresInRow + 1;
  if (failuresInRow <= state.settings.tolerableFailures) return just({ ...state, failuresInRow });
  return {
    state: { ...state, failuresInRow, isRunning: false },
    decisions: [{ kind: 'fail-job', failures: failuresInRow, error }],
  };
}

/** A checkpoint has ended. */
function pause(state: CoordinatorState, nowMs: number): CoordinatorState {
  return { ...state, dueMs: Math.max(state.dueMs, nowMs + state.settings.minPauseMs) };
}

/** A checkpoint has ended badly. */
function retryLater(state: CoordinatorState, nowMs: number): CoordinatorState {
  const lastNotBeforeMs = nowMs + Math.max(state.settings.minPauseMs, MIN_RETRY_MS);
  return { ...pause(state, nowMs), lastNotBeforeMs: haveAllEnded(state) ? lastNotBeforeMs : state.lastNotBeforeMs };
}

function haveAllEnded({ tasks }: CoordinatorState): boolean {
  return tasks.size > 0 && [...tasks.values()].every(({ final }) => final !== null);
}

function hasLiveSource(state: CoordinatorState): boolean {
  return liveSources(state).length > 0;
}

function liveSources({ tasks }: CoordinatorState): readonly AttemptId[] {
  return [...tasks].filter(([, { isSource, final }]) => isSource && final === null).map(([attemptId]) => attemptId);
}

/** From the time that a savepoint's checkpoint has completed until it is copied. */
function isCopying({ savepoint }: CoordinatorState): boolean {
  return savepoint?.phase === 'committing' || savepoint?.phase === 'writing';
}

function just(state: CoordinatorState): CoordinatorStep {
  return { state, decisions: [] };
}

function then(step: CoordinatorStep, next: (state: CoordinatorState) => CoordinatorStep): CoordinatorStep {
  const { state, decisions } = next(step.state);
  return { state, decisions: [...step.decisions, ...decisions] };
}
