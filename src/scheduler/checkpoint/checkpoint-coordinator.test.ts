import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { attemptId, serializeError, subtaskId, vertexId } from '../../core/index.ts';
import type { AttemptId, CheckpointSettings, SubtaskSnapshot } from '../../core/index.ts';
import { coordinate, idleCoordinator, wakeAtMs } from './checkpoint-coordinator.ts';
import type { CheckpointDecision, CheckpointFact, CoordinatorState } from './checkpoint-coordinator.ts';

const settings: CheckpointSettings = {
  intervalMs: 100,
  mode: 'exactly-once',
  timeoutMs: 70,
  minPauseMs: 20,
  tolerableFailures: 1,
  retained: 1,
};

const FIRST_ID = 5;
const error = serializeError(new Error('no space'));
const task = (index: number, attempt = 0): AttemptId => attemptId(subtaskId(vertexId('v'), index), attempt);

/** Snapshots are told apart by their watermarks. */
function snapshot(tag: number): SubtaskSnapshot {
  const committable = { stepId: 'out' as never, subtaskIndex: 0, checkpointId: 1, data: {} };
  const contents = { splits: [], operators: [], committables: [committable] };
  return { ...contents, subtaskIndex: 0, watermarkMs: tag, isFinished: false };
}

/** A coordinator with a clock, whose decisions are kept. */
class Driven {
  state: CoordinatorState;
  nowMs = 0;
  readonly log: CheckpointDecision[] = [];

  constructor(given: CheckpointSettings = settings) {
    this.state = idleCoordinator(given, FIRST_ID);
  }

  tell(fact: CheckpointFact): readonly CheckpointDecision[] {
    const { state, decisions } = coordinate(this.state, fact, this.nowMs);
    this.state = state;
    this.log.push(...decisions);
    return decisions;
  }

  at(nowMs: number): readonly CheckpointDecision[] {
    this.nowMs = nowMs;
    return this.tell({ kind: 'time-passed' });
  }

  /** Task 0 is a source; all run. */
  deploy(taskCount: number, attempt = 0): this {
    const tasks = Array.from({ length: taskCount }, (_, index) => ({
      attemptId: task(index, attempt),
      isSource: index === 0,
    }));
    this.tell({ kind: 'ids-reserved', upTo: this.state.nextId + 10 });
    this.tell({ kind: 'deployed', tasks });
    this.tell({ kind: 'all-running' });
    return this;
  }

  acknowledge(index: number, checkpointId: number, tag = checkpointId) {
    return this.tell({ kind: 'acknowledged', attemptId: task(index), checkpointId, snapshot: snapshot(tag) });
  }

  end(index: number, tag = 1000 + index) {
    return this.tell({ kind: 'ended', attemptId: task(index), snapshot: snapshot(tag) });
  }

  complete(checkpointId: number): readonly CheckpointDecision[] {
    this.tell({ kind: 'metadata-written', checkpointId });
    return this.tell({ kind: 'pointer-moved', checkpointId });
  }
}

/** The kinds and ids of decisions, in short. */
const brief = (decisions: readonly CheckpointDecision[]): string =>
  decisions.map((each) => `${each.kind}${'checkpointId' in each ? ` ${each.checkpointId}` : ''}`).join(', ');

describe('a checkpoint', () => {
  it('is triggered at sources, completed by all, and told to all', () => {
    const driven = new Driven().deploy(3);
    expect(wakeAtMs(driven.state)).toBe(100);
    expect(driven.at(99)).toEqual([]);
    expect(driven.at(100)).toEqual([{ kind: 'trigger', checkpointId: 5, tasks: [task(0)], expected: 3 }]);
    expect(wakeAtMs(driven.state)).toBe(170);
    expect(brief([...driven.acknowledge(0, 5), ...driven.acknowledge(0, 5), ...driven.acknowledge(1, 5)])).toBe('');
    const [write] = driven.acknowledge(2, 5);
    expect(write).toMatchObject({ kind: 'write-metadata', checkpointId: 5 });
    expect(brief(driven.tell({ kind: 'metadata-written', checkpointId: 5 }))).toBe('move-pointer 5');
    expect(wakeAtMs(driven.state)).toBeNull();
    driven.nowMs = 190;
    expect(driven.tell({ kind: 'pointer-moved', checkpointId: 5 })).toEqual([
      { kind: 'complete', checkpointId: 5, tasks: [task(0), task(1), task(2)] },
    ]);
    // The interval is over at 200, the pause at 210.
    expect(wakeAtMs(driven.state)).toBe(210);
    expect(brief(driven.at(210))).toBe('trigger 6');
  });

  it('that times out is aborted where it is awaited; what comes late is discarded', () => {
    const driven = new Driven().deploy(2);
    driven.at(100);
    driven.acknowledge(0, 5);
    expect(driven.at(170)).toEqual([
      { kind: 'abort', checkpointId: 5, reason: 'timeout', error: null, tasks: [task(1)] },
      { kind: 'discard', snapshots: [snapshot(5)] },
    ]);
    expect(brief(driven.acknowledge(1, 5))).toBe('discard');
    expect(brief(driven.at(200))).toBe('trigger 6');
    expect(brief(driven.acknowledge(1, 5))).toBe('discard');
    driven.acknowledge(0, 6);
    expect(brief(driven.acknowledge(1, 6))).toBe('write-metadata 6');
  });

  it('that is declined is aborted; one more than tolerated fails the job, and nothing follows', () => {
    const driven = new Driven().deploy(2);
    driven.at(100);
    expect(brief(driven.tell({ kind: 'declined', attemptId: task(1), checkpointId: 5, error }))).toBe('abort 5');
    driven.at(200);
    expect(brief(driven.tell({ kind: 'declined', attemptId: task(1), checkpointId: 5, error }))).toBe('');
    expect(driven.tell({ kind: 'declined', attemptId: task(1), checkpointId: 6, error })).toEqual([
      { kind: 'abort', checkpointId: 6, reason: 'declined', error, tasks: [task(0), task(1)] },
      { kind: 'fail-job', failures: 2, error },
    ]);
    expect(wakeAtMs(driven.state)).toBeNull();
    expect(driven.at(1000)).toEqual([]);
  });

  it('that completes forgives those before', () => {
    const driven = new Driven().deploy(1);
    for (const [atMs, id] of [[100, 5], [300, 7]] as const) {
      driven.at(atMs);
      expect(brief(driven.tell({ kind: 'declined', attemptId: task(0), checkpointId: id, error }))).toBe(`abort ${id}`);
      driven.at(atMs + 100);
      driven.acknowledge(0, id + 1);
      expect(brief(driven.complete(id + 1))).toBe(`complete ${id + 1}`);
    }
  });

  it('whose metadata cannot be written is aborted; its files are not needed', () => {
    const driven = new Driven().deploy(1);
    driven.at(100);
    driven.acknowledge(0, 5);
    expect(brief(driven.tell({ kind: 'write-failed', checkpointId: 5, error }))).toBe('abort 5, discard');
    expect(driven.tell({ kind: 'metadata-written', checkpointId: 5 })).toEqual([]);
  });

  it('whose pointer may or may not have moved keeps its files', () => {
    const driven = new Driven().deploy(1);
    driven.at(100);
    driven.acknowledge(0, 5);
    driven.tell({ kind: 'metadata-written', checkpointId: 5 });
    expect(driven.at(10_000)).toEqual([]);
    expect(brief(driven.tell({ kind: 'write-failed', checkpointId: 5, error }))).toBe('abort 5');
  });

  it('is aborted when the job stops, unless its pointer is being moved', () => {
    const collecting = new Driven().deploy(2);
    collecting.at(100);
    collecting.acknowledge(0, 5);
    expect(brief(collecting.tell({ kind: 'stopped' }))).toBe('abort 5, discard');

    const moving = new Driven().deploy(1);
    moving.at(100);
    moving.acknowledge(0, 5);
    moving.tell({ kind: 'metadata-written', checkpointId: 5 });
    expect(moving.tell({ kind: 'stopped' })).toEqual([]);
    expect(moving.tell({ kind: 'pointer-moved', checkpointId: 5 })).toEqual([
      { kind: 'complete', checkpointId: 5, tasks: [] },
    ]);
    moving.deploy(1, 1);
    expect(brief(moving.at(moving.nowMs + 100))).toBe('trigger 6');
  });
});

describe('ids', () => {
  it('that are used up are reserved first', () => {
    const driven = new Driven().deploy(1);
    driven.state = { ...driven.state, nextId: driven.state.reservedUpTo };
    const upTo = driven.state.reservedUpTo;
    expect(brief(driven.at(100))).toBe('reserve-ids');
    expect(wakeAtMs(driven.state)).toBeNull();
    expect(driven.at(150)).toEqual([]);
    expect(driven.tell({ kind: 'reserving-failed', error })).toEqual([]);
    expect(brief(driven.at(200))).toBe('reserve-ids');
    expect(brief(driven.tell({ kind: 'ids-reserved', upTo: upTo + 10 }))).toBe(`trigger ${upTo}`);
  });
});

describe('the end of input', () => {
  it('makes one last checkpoint of final snapshots', () => {
    const driven = new Driven().deploy(2);
    expect(driven.end(0)).toEqual([]);
    // No source is left that could send barriers.
    expect(driven.at(100)).toEqual([]);
    expect(wakeAtMs(driven.state)).toBeNull();
    const decisions = driven.end(1);
    expect(brief(decisions)).toBe('trigger 5, write-metadata 5');
    expect(decisions[0]).toMatchObject({ tasks: [] });
    const contributions = new Map([0, 1].map((index) => [task(index), snapshot(1000 + index)]));
    expect(decisions[1]).toMatchObject({ contributions });
    expect(driven.complete(5)).toEqual([{ kind: 'complete', checkpointId: 5, tasks: [task(0), task(1)] }]);
    expect(wakeAtMs(driven.state)).toBeNull();
    expect(driven.at(10_000)).toEqual([]);
  });

  it('completes what is pending; a last one follows if anybody has more to say', () => {
    const driven = new Driven().deploy(2);
    driven.at(100);
    driven.acknowledge(0, 5);
    driven.end(0);
    const [write] = driven.end(1);
    expect(write).toMatchObject({ contributions: new Map([[task(0), snapshot(5)], [task(1), snapshot(1001)]]) });
    expect(brief(driven.complete(5))).toBe('complete 5, trigger 6, write-metadata 6');
    expect(brief(driven.complete(6))).toBe('complete 6');
  });

  it('completes what is pending as the last one if it consists of final snapshots', () => {
    const driven = new Driven().deploy(2);
    driven.at(100);
    driven.end(0);
    driven.end(1);
    expect(brief(driven.complete(5))).toBe('complete 5');
    expect(driven.at(1000)).toEqual([]);
  });

  it('of one task is part of all later checkpoints, without its handles once it has committed them', () => {
    const driven = new Driven().deploy(2);
    driven.end(1);
    driven.at(100);
    expect(brief(driven.acknowledge(0, 5))).toBe('write-metadata 5');
    driven.complete(5);
    driven.tell({ kind: 'finished', attemptId: task(1) });
    driven.at(200);
    const [write] = driven.acknowledge(0, 6);
    expect(write).toMatchObject({
      contributions: new Map([[task(1), { ...snapshot(1001), committables: [] }], [task(0), snapshot(6)]]),
    });
    expect(driven.complete(6)).toEqual([{ kind: 'complete', checkpointId: 6, tasks: [task(0)] }]);
  });

  it('of all sources makes a timeout nobody’s fault', () => {
    const driven = new Driven({ ...settings, tolerableFailures: 0 }).deploy(2);
    driven.at(100);
    driven.acknowledge(0, 5);
    driven.end(0);
    expect(brief(driven.at(170))).toBe('abort 5, discard');
    expect(brief(driven.end(1))).toBe('trigger 6, write-metadata 6');
  });

  it('tries the last one again after an error, with another id', () => {
    const driven = new Driven().deploy(1);
    driven.end(0);
    expect(brief(driven.tell({ kind: 'write-failed', checkpointId: 5, error }))).toBe('abort 5');
    expect(wakeAtMs(driven.state)).toBe(1000);
    expect(brief(driven.at(1000))).toBe('trigger 6, write-metadata 6');
  });
});

type Event = 'time' | 'acknowledge' | 'decline' | 'end' | 'finish' | 'write' | 'fail-write' | 'stop' | 'deploy';

describe('any history', () => {
  const often: Event[] = ['time', 'time', 'acknowledge', 'acknowledge', 'acknowledge', 'end', 'write', 'write'];
  const kind = fc.constantFrom<Event>(...often, 'decline', 'finish', 'fail-write', 'stop', 'deploy');
  const command = fc.record({ what: kind, task: fc.nat(3), back: fc.nat(2), dtMs: fc.nat(60) });
  const shape = fc.record({
    settings: fc.record({
      intervalMs: fc.integer({ min: 1, max: 100 }),
      mode: fc.constant('exactly-once' as const),
      timeoutMs: fc.integer({ min: 1, max: 400 }),
      minPauseMs: fc.nat(50),
      tolerableFailures: fc.nat(3),
      retained: fc.constant(1),
    }),
    taskCount: fc.integer({ min: 1, max: 4 }),
    sourceCount: fc.integer({ min: 1, max: 4 }),
    commands: fc.array(command, { maxLength: 120, size: 'max' }),
  });

  it('keeps the promises of a checkpoint', () => {
    fc.assert(
      fc.property(shape, (given) => {
        const history = new History(given.settings, given.taskCount, given.sourceCount);
        for (const each of given.commands) history.run(each.what, each.task % given.taskCount, each.back, each.dtMs);
        history.finish();
      }),
      { numRuns: 500 },
    );
  });
});

/** Plays tasks, storage and store to a coordinator, and checks what it decides without knowing how. */
class History {
  readonly #driven: Driven;
  readonly #settings: CheckpointSettings;
  readonly #taskCount: number;
  readonly #sourceCount: number;
  #attempt = -1;
  #upTo = FIRST_ID;
  #isReserving = false;
  #isStopped = true;
  #pending: number | null = null;
  #metadata: number | null = null;
  #pointer: number | null = null;
  #lastPointer = 0;
  #endedAtMs = -Infinity;
  readonly #triggered: number[] = [];
  readonly #outcomes = new Map<number, string>();
  /** Per task of this attempt: the tags of what it has given, by checkpoint, and of its final snapshot. */
  #given: { readonly acks: Map<number, number>; final: number | null; isTold: boolean; isFinished: boolean }[] = [];
  #tags = 0;
  #lastCheckpoints = 0;

  constructor(given: CheckpointSettings, taskCount: number, sourceCount: number) {
    this.#settings = given;
    this.#driven = new Driven(given);
    this.#taskCount = taskCount;
    this.#sourceCount = Math.min(sourceCount, taskCount);
    this.#deploy();
  }

  run(what: Event, index: number, back: number, dtMs: number): void {
    const id = (this.#pending ?? this.#triggered.at(-1) ?? FIRST_ID) - (dtMs < 10 ? back : 0);
    switch (what) {
      case 'time':
        this.#driven.nowMs += dtMs;
        this.#tell({ kind: 'time-passed' });
        break;
      case 'acknowledge':
        this.#acknowledge(index, id);
        break;
      case 'decline':
        if (dtMs < 20) this.#tell({ kind: 'declined', attemptId: this.#id(index), checkpointId: id, error });
        break;
      case 'end':
        if (dtMs < 30) this.#end(index);
        break;
      case 'finish':
        this.#finishTask(index);
        break;
      case 'write':
        this.#settleWrites(true);
        break;
      case 'fail-write':
        this.#settleWrites(false);
        break;
      case 'stop':
        if (dtMs < 15) this.#stop();
        break;
      case 'deploy':
        if (this.#isStopped && this.#pointer === null) this.#deploy();
    }
  }

  /** Nothing fails any more, and all input ends: exactly one last checkpoint completes. */
  finish(): void {
    if (this.#isStopped) {
      this.#settleWrites(true);
      this.#deploy();
    }
    for (let index = 0; index < this.#taskCount; index++) this.#end(index);
    for (let turn = 0; turn < 20; turn++) {
      this.#settleWrites(true);
      const wake = wakeAtMs(this.#driven.state);
      const isWriting = this.#isReserving || this.#metadata !== null || this.#pointer !== null;
      if (isWriting || wake === null) continue;
      this.#driven.nowMs = Math.max(this.#driven.nowMs, wake);
      this.#tell({ kind: 'time-passed' });
    }
    expect(this.#lastCheckpoints).toBe(1);
    expect([...this.#outcomes.keys()].sort((a, b) => a - b)).toEqual(this.#triggered);
    expect(this.#pending).toBeNull();
    for (const { isTold } of this.#given) expect(isTold).toBe(true);
  }

  #id(index: number): AttemptId {
    return task(index, this.#attempt);
  }

  #deploy(): void {
    this.#endedAtMs = -Infinity;
    this.#attempt++;
    this.#isStopped = false;
    this.#lastCheckpoints = 0;
    this.#given = Array.from({ length: this.#taskCount }, () => ({
      acks: new Map(),
      final: null,
      isTold: false,
      isFinished: false,
    }));
    const tasks = this.#given.map((_, index) => ({ attemptId: this.#id(index), isSource: index < this.#sourceCount }));
    this.#tell({ kind: 'deployed', tasks });
    this.#tell({ kind: 'all-running' });
  }

  #stop(): void {
    this.#isStopped = true;
    this.#tell({ kind: 'stopped' });
    expect(this.#pending).toBe(this.#pointer);
  }

  #acknowledge(index: number, checkpointId: number): void {
    const given = this.#given[index];
    if (given === undefined || given.final !== null || given.acks.has(checkpointId)) return;
    if (!this.#triggered.includes(checkpointId)) return;
    const tag = ++this.#tags;
    given.acks.set(checkpointId, tag);
    this.#tell({ kind: 'acknowledged', attemptId: this.#id(index), checkpointId, snapshot: snapshot(tag) });
  }

  #end(index: number): void {
    const given = this.#given[index];
    if (given?.final !== null) return;
    given.final = ++this.#tags;
    this.#tell({ kind: 'ended', attemptId: this.#id(index), snapshot: snapshot(given.final) });
  }

  #finishTask(index: number): void {
    const given = this.#given[index];
    if (given?.isTold !== true || given.isFinished) return;
    given.isFinished = true;
    this.#tell({ kind: 'finished', attemptId: this.#id(index) });
  }

  #settleWrites(isGood: boolean): void {
    const [metadata, pointer, isReserving] = [this.#metadata, this.#pointer, this.#isReserving];
    this.#metadata = null;
    this.#pointer = null;
    this.#isReserving = false;
    if (isReserving) {
      if (isGood) this.#upTo += 3;
      this.#tell(isGood ? { kind: 'ids-reserved', upTo: this.#upTo } : { kind: 'reserving-failed', error });
    }
    if (metadata !== null) {
      const checkpointId = metadata;
      this.#tell(isGood ? { kind: 'metadata-written', checkpointId } : { kind: 'write-failed', checkpointId, error });
    }
    if (pointer === null) return;
    if (isGood) {
      expect(pointer).toBeGreaterThan(this.#lastPointer);
      this.#lastPointer = pointer;
    }
    const checkpointId = pointer;
    this.#tell(isGood ? { kind: 'pointer-moved', checkpointId } : { kind: 'write-failed', checkpointId, error });
  }

  #tell(fact: CheckpointFact): void {
    for (const decision of this.#driven.tell(fact)) this.#check(decision);
  }

  #check(decision: CheckpointDecision): void {
    switch (decision.kind) {
      case 'reserve-ids':
        expect(this.#isReserving).toBe(false);
        this.#isReserving = true;
        return;
      case 'trigger':
        this.#checkTrigger(decision.checkpointId, decision.tasks);
        return;
      case 'write-metadata': {
        expect(decision.checkpointId).toBe(this.#pending);
        this.#metadata = decision.checkpointId;
        const expected = this.#given.map(({ acks, final }) => acks.get(decision.checkpointId) ?? final);
        expect(expected).not.toContain(null);
        const tags = this.#given.map((_, index) => decision.contributions.get(this.#id(index))?.watermarkMs);
        expect(tags).toEqual(expected);
        return;
      }
      case 'move-pointer':
        expect(decision.checkpointId).toBe(this.#pending);
        this.#pointer = decision.checkpointId;
        return;
      case 'complete':
        this.#checkOutcome(decision.checkpointId, 'completed');
        this.#checkTold(decision.checkpointId, decision.tasks);
        return;
      case 'abort':
        this.#checkOutcome(decision.checkpointId, 'aborted');
        for (const id of decision.tasks) {
          const given = this.#given[this.#given.findIndex((_, index) => this.#id(index) === id)];
          expect(given?.final).toBeNull();
          expect(given?.acks.has(decision.checkpointId)).toBe(false);
        }
        return;
      case 'discard':
        expect(decision.snapshots.length).toBeGreaterThan(0);
        return;
      case 'fail-job':
        expect(decision.failures).toBe(this.#settings.tolerableFailures + 1);
        this.#stop();
        return;
      case 'write-savepoint':
      case 'savepoint-failed':
      case 'resume-sources':
        throw new Error(`${decision.kind}, although nobody asks for savepoints in these histories`);
    }
  }

  #checkTrigger(id: number, tasks: readonly AttemptId[]): void {
    const isLast = this.#given.every(({ final }) => final !== null);
    expect(this.#isStopped).toBe(false);
    expect(this.#pending).toBeNull();
    expect(id).toBeGreaterThan(this.#triggered.at(-1) ?? 0);
    expect(id).toBeLessThan(this.#upTo);
    if (!isLast) expect(this.#driven.nowMs - this.#endedAtMs).toBeGreaterThanOrEqual(this.#settings.minPauseMs);
    expect(tasks).toEqual(
      this.#given.flatMap(({ final }, index) => (final === null && index < this.#sourceCount ? [this.#id(index)] : [])),
    );
    expect(tasks.length > 0 || isLast).toBe(true);
    this.#triggered.push(id);
    this.#pending = id;
  }

  #checkOutcome(id: number, outcome: string): void {
    expect(this.#outcomes.has(id)).toBe(false);
    expect(id).toBe(this.#pending);
    if (outcome === 'completed') expect(this.#lastPointer).toBe(id);
    this.#outcomes.set(id, outcome);
    this.#pending = null;
    this.#metadata = null;
    this.#endedAtMs = this.#driven.nowMs;
  }

  #checkTold(id: number, tasks: readonly AttemptId[]): void {
    if (this.#isStopped) {
      expect(tasks).toEqual([]);
      return;
    }
    expect(tasks).toEqual(this.#given.flatMap(({ isFinished }, index) => (isFinished ? [] : [this.#id(index)])));
    for (const given of this.#given) if (given.final !== null && !given.acks.has(id)) given.isTold = true;
    if (this.#given.every(({ final, acks }) => final !== null && !acks.has(id))) this.#lastCheckpoints++;
  }
}

describe('a savepoint', () => {
  const request = (stopsSources: boolean) => ({ kind: 'savepoint-requested', stopsSources }) as const;
  const kinds = (decisions: readonly CheckpointDecision[]) => decisions.map(({ kind }) => kind);

  it('is taken at once, and copied when all tasks have committed; until then nothing else is begun', () => {
    const driven = new Driven().deploy(2);
    expect(driven.tell(request(false))).toEqual([
      { kind: 'trigger', checkpointId: FIRST_ID, tasks: [task(0)], expected: 2, isAligned: true },
    ]);
    driven.acknowledge(0, FIRST_ID);
    driven.acknowledge(1, FIRST_ID);
    expect(kinds(driven.complete(FIRST_ID))).toContain('complete');
    driven.at(10_000);
    expect(wakeAtMs(driven.state)).toBeNull();
    expect(driven.tell({ kind: 'committed', attemptId: task(0), checkpointId: FIRST_ID })).toEqual([]);
    expect(driven.tell({ kind: 'committed', attemptId: task(1), checkpointId: FIRST_ID })).toEqual([
      { kind: 'write-savepoint', checkpointId: FIRST_ID },
    ]);
    expect(driven.at(20_000)).toEqual([]);
    expect(kinds(driven.tell({ kind: 'savepoint-ended', isWritten: true }))).toEqual(['trigger']);
  });

  it('waits for the checkpoint that is pending', () => {
    const driven = new Driven().deploy(1);
    expect(kinds(driven.at(100))).toEqual(['trigger']);
    expect(driven.tell(request(false))).toEqual([]);
    driven.acknowledge(0, FIRST_ID);
    expect(kinds(driven.complete(FIRST_ID))).toEqual(['complete', 'trigger']);
    expect(driven.state.savepoint).toMatchObject({ phase: 'collecting', checkpointId: FIRST_ID + 1 });
  });

  it('lets stopped sources go on where it fails, before and after it is complete', () => {
    const driven = new Driven().deploy(2);
    expect(driven.tell(request(true))).toMatchObject([{ kind: 'trigger', stopsSources: true }]);
    driven.acknowledge(0, FIRST_ID);
    const declined = driven.tell({ kind: 'declined', attemptId: task(1), checkpointId: FIRST_ID, error });
    expect(declined.find(({ kind }) => kind === 'abort')).toMatchObject({ tasks: [task(0), task(1)] });
    expect(declined.find(({ kind }) => kind === 'savepoint-failed')).toMatchObject({ reason: 'declined', error });
    driven.tell(request(true));
    driven.acknowledge(0, FIRST_ID + 1);
    driven.acknowledge(1, FIRST_ID + 1);
    driven.complete(FIRST_ID + 1);
    for (const index of [0, 1]) {
      driven.tell({ kind: 'committed', attemptId: task(index), checkpointId: FIRST_ID + 1 });
    }
    expect(driven.tell({ kind: 'savepoint-ended', isWritten: false })[0]).toEqual({
      kind: 'resume-sources',
      checkpointId: FIRST_ID + 1,
      tasks: [task(0)],
    });
  });

  it('is refused once no barrier passes any more, and given up with the tasks', () => {
    const driven = new Driven().deploy(2);
    driven.end(0);
    expect(driven.tell(request(false))).toEqual([{ kind: 'savepoint-failed', reason: 'ending', error: null }]);
    const other = new Driven().deploy(1);
    other.tell(request(false));
    expect(kinds(other.tell({ kind: 'stopped' }))).toEqual(['savepoint-failed', 'abort']);
    expect(other.state.savepoint).toBeNull();
  });
});
