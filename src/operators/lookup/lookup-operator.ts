/**
 * Asks for every row, many at a time, and goes on with those whose answer is there. The design is in
 * docs/design/017-lookups.md.
 *
 * prepare() asks for all rows of a batch at once; what exceeds the capacity follows as answers come. process() emits
 * rows whose answer is known, and the batch is done when all are: nothing is under way when a barrier or a watermark
 * comes, so there is nothing to remember.
 */
import { counterNames, readValue } from '../../core/index.ts';
import type {
  Column,
  ColumnBatch,
  Counter,
  Field,
  LookupReader,
  LookupRow,
  Operator,
  OperatorContext,
} from '../../core/index.ts';
import { Answer, AnswerCache } from './answer-cache.ts';
import { AnswerKeys } from './answer-keys.ts';
import { LookupOutput } from './lookup-output.ts';
import { LookupRequests } from './lookup-requests.ts';
import type { LookupStep } from './lookup-spec.ts';

/** Of rows with a NULL in what they are looked up by: it equals nothing. */
const NOTHING = new Answer('');
NOTHING.found([]);

interface Opened {
  readonly context: OperatorContext;
  readonly output: LookupOutput;
  readonly requests: LookupRequests;
  readonly hits: Counter;
  readonly misses: Counter;
}

export class LookupOperator implements Operator {
  readonly #step: LookupStep;
  readonly #reader: LookupReader;
  readonly #keys: AnswerKeys;
  readonly #cache: AnswerCache;
  #opened: Opened | null = null;
  /** Per row of the present batch. */
  #answers: Answer[] = [];
  /** Rows that have not left yet. */
  #left = 0;
  /** Where rows leave in order: the next one. */
  #row = 0;
  /** Where they do not: those whose answer is known, from `#nextKnown` on. */
  #known: number[] = [];
  #nextKnown = 0;
  /** The next of the rows found for the present one. */
  #match = 0;
  #wake: (() => void) | null = null;

  constructor(step: LookupStep, reader: LookupReader) {
    this.#step = step;
    this.#reader = reader;
    this.#keys = new AnswerKeys(step.keys);
    this.#cache = new AnswerCache(step.cache);
  }

  async open(context: OperatorContext): Promise<void> {
    const { clock, randomness } = context.ports;
    const failures = context.counter(counterNames.lookupFailures.name);
    const settled = (answers: readonly Answer[]): void => {
      this.#settled(answers);
    };
    this.#opened = {
      context,
      output: new LookupOutput(context.output, this.#step),
      requests: new LookupRequests(this.#reader, this.#step, { clock, randomness, failures, settled }),
      hits: context.counter(counterNames.lookupHits.name),
      misses: context.counter(counterNames.lookupMisses.name),
    };
    await this.#reader.open(context);
  }

  prepare(batch: ColumnBatch): undefined {
    const { context, requests, hits, misses } = this.#opened as Opened;
    const { isOrdered } = this.#step;
    this.#cache.begin(context.ports.clock.monotonicMs());
    this.#keys.read(batch);
    this.#answers.length = 0;
    this.#known = [];
    this.#nextKnown = 0;
    this.#row = 0;
    this.#match = 0;
    this.#left = batch.rowCount;
    let asked = 0;
    for (let row = 0; row < batch.rowCount; row++) {
      const key = this.#keys.of(row);
      let answer = key === null ? NOTHING : this.#cache.find(key);
      if (answer === undefined) {
        answer = new Answer(key as string);
        if (!isOrdered) answer.waiting = [];
        this.#cache.add(answer);
        requests.add(this.#valuesOf(batch, row), answer);
        asked++;
      }
      this.#answers.push(answer);
      if (answer.waiting !== null) answer.waiting.push(row);
      else if (!isOrdered) this.#known.push(row);
    }
    misses.value += asked;
    hits.value += batch.rowCount - asked;
    requests.start();
    return undefined;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const { output, context } = this.#opened as Opened;
    while (this.#left > 0) {
      const row = this.#nextRow();
      if (row < 0) break;
      const answer = this.#answers[row] as Answer;
      if (answer.rows === null) context.errors.handle(batch, row, this.#step.stepId, answer.error);
      else if (!this.#emit(batch, row, answer.rows)) return fromRow;
      this.#match = 0;
      this.#row++;
      this.#nextKnown++;
      this.#left--;
    }
    output.emit(batch);
    return this.#left === 0 ? batch.rowCount : fromRow;
  }

  /** Resolves when a row can leave, behind all answers that have arrived with its own. */
  waiting(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#wakeSoon();
    });
  }

  finish(): boolean {
    return true;
  }

  async close(): Promise<void> {
    this.#opened?.requests.close();
    await this.#reader.close();
  }

  /** The next row whose answer is known; -1 where there is none yet. */
  #nextRow(): number {
    if (!this.#step.isOrdered) return this.#known[this.#nextKnown] ?? -1;
    return (this.#answers[this.#row] as Answer).isKnown ? this.#row : -1;
  }

  /** False where the output is full in between. */
  #emit(batch: ColumnBatch, row: number, found: readonly LookupRow[]): boolean {
    const { output } = this.#opened as Opened;
    if (found.length === 0 && this.#step.type === 'inner') return true;
    do {
      if (!output.hasRoom(batch)) return false;
      output.add(row, found[this.#match++] ?? null);
    } while (this.#match < found.length);
    return true;
  }

  #valuesOf(batch: ColumnBatch, row: number): LookupRow {
    return this.#step.keys.map((index) => {
      const { type } = batch.schema.fields[index] as Field;
      return readValue(batch.columns[index] as Column, type, row);
    });
  }

  #settled(answers: readonly Answer[]): void {
    const nowMs = (this.#opened as Opened).context.ports.clock.monotonicMs();
    for (const answer of answers) {
      this.#cache.settle(answer, nowMs);
      if (answer.waiting !== null) for (const row of answer.waiting) this.#known.push(row);
      answer.waiting = null;
    }
    this.#wakeSoon();
  }

  #wakeSoon(): void {
    const wake = this.#wake;
    if (wake === null || this.#left === 0 || this.#nextRow() < 0) return;
    this.#wake = null;
    void (this.#opened as Opened).context.ports.macrotasks.yield().then(wake);
  }
}
