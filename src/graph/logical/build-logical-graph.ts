import { formatType } from '../../core/index.ts';
import type { ConnectorCatalog, DataType, Expression } from '../../core/index.ts';
import type {
  FilterStepSpec,
  FlatMapStepSpec,
  JobSpec,
  SelectStepSpec,
  SplitStepSpec,
  StepSpec,
  UnionStepSpec,
} from '../spec/job-spec.ts';
import type { ProblemList } from '../spec/problem.ts';
import { addAggregate } from './add-aggregate.ts';
import { addDedupe } from './add-dedupe.ts';
import { addJoin } from './add-join.ts';
import { addLookup } from './add-lookup.ts';
import { addProcess } from './add-process.ts';
import { addTopN } from './add-top-n.ts';
import {
  filterStream,
  flatMapStream,
  keepsKey,
  passesWholeKeys,
  schemaDifference,
  selectStream,
  unionStream,
} from './changelog-rules.ts';
import { checkCondition } from './check-expression.ts';
import { checkSink } from './check-sink.ts';
import { checkSource } from './check-source.ts';
import { branchId, GraphBuilder } from './graph-builder.ts';
import type { LogicalGraph } from './logical-graph.ts';
import type { CodeSource } from './step-code.ts';
import type { StepStream } from './step-stream.ts';

/** The graph of a job's steps; null where there are problems, all of which go to `problems`. */
export function buildLogicalGraph(
  spec: JobSpec,
  parallelism: number,
  catalog: ConnectorCatalog,
  problems: ProblemList,
  code: CodeSource,
): LogicalGraph | null {
  const builder = new GraphBuilder(spec, catalog, problems, code);
  const adder = new StepAdder(builder);
  for (const step of topological(spec.steps)) adder.add(step);
  if (problems.count > 0) return null;
  return Object.freeze({
    name: spec.name,
    parallelism,
    maxParallelism: spec.maxParallelism,
    checkpoint: spec.checkpoint,
    restart: spec.restart,
    state: spec.state,
    rescale: spec.rescale,
    nodes: Object.freeze(builder.nodes),
    edges: Object.freeze(builder.edges),
  });
}

/** Readers behind what they read, otherwise in the order of the file. The steps have no circles. */
function topological(steps: readonly StepSpec[]): readonly StepSpec[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const order = new Set<StepSpec>();
  for (const root of steps) {
    const stack: StepSpec[] = [root];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const waiting = top.inputs
        .map((input) => byId.get(input.stepId))
        .find((step) => step !== undefined && !order.has(step));
      if (waiting !== undefined) stack.push(waiting);
      else {
        order.add(top);
        stack.pop();
      }
    }
  }
  return [...order];
}

class StepAdder {
  readonly #builder: GraphBuilder;

  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  add(step: StepSpec): void {
    this.#builder.checkParallelism(step);
    this.#addStep(step);
  }

  #addStep(step: StepSpec): void {
    switch (step.kind) {
      case 'source':
        this.#addSource(step);
        break;
      case 'filter':
        this.#addFilter(step);
        break;
      case 'select':
        this.#addSelect(step);
        break;
      case 'flat-map':
        this.#addFlatMap(step);
        break;
      case 'aggregate':
        addAggregate(step, this.#builder);
        break;
      case 'join':
        addJoin(step, this.#builder);
        break;
      case 'dedupe':
        addDedupe(step, this.#builder);
        break;
      case 'top-n':
        addTopN(step, this.#builder);
        break;
      case 'process':
        addProcess(step, this.#builder);
        break;
      case 'lookup':
        addLookup(step, this.#builder);
        break;
      case 'union':
        this.#addUnion(step);
        break;
      case 'split':
        this.#addSplit(step);
        break;
      case 'sink':
        this.#addSink(step);
        break;
      case 'broken': {
        const input = this.#builder.input(step);
        if (step.keepsFields && input !== null) this.#builder.know(step.id, input);
        break;
      }
    }
  }

  #addSource(step: StepSpec & { readonly kind: 'source' }): void {
    const { spec, bounded, watermark, output } = checkSource(step, this.#builder.catalog, this.#builder.problems);
    if (output === null) return;
    this.#builder.know(step.id, output);
    if (spec === null) return;
    const { id, parallelism } = step;
    this.#builder.push(step, { kind: 'source', id, parallelism, spec, bounded, watermark, output: output.stream });
  }

  #addFilter(step: FilterStepSpec): void {
    const input = this.#builder.input(step);
    if (input === null) return;
    const predicate = checkCondition(step.predicate, input, this.#builder.problems);
    // A filter that is wrong lets the same fields through.
    this.#builder.know(step.id, input);
    if (predicate === null) return;
    this.#pushFilter(step.id, step, predicate, input);
  }

  #pushFilter(id: string, step: StepSpec, predicate: Expression, input: StepStream): void {
    const isWhole = passesWholeKeys(input.stream, predicate);
    const outlet = isWhole ? this.#builder.outlet(step) : this.#builder.retractingOutlet(step);
    if (outlet === null) return;
    const output = filterStream(outlet.stream, predicate);
    this.#builder.know(id, { stream: output, doubtful: input.doubtful });
    const node = { kind: 'filter', id, parallelism: step.parallelism, predicate, output } as const;
    this.#builder.pushBehind(isWhole ? node : { ...node, splitsUpdates: true }, [outlet]);
  }

  #addSelect(step: SelectStepSpec): void {
    const input = this.#builder.input(step);
    if (input === null) return;
    const { fields, doubtful } = this.#builder.expressions(step.fields, input, null);
    const outlet = keepsKey(input.stream, fields) ? this.#builder.outlet(step) : this.#builder.retractingOutlet(step);
    if (outlet === null) return;
    const { id, parallelism } = step;
    const output = selectStream(outlet.stream, fields);
    this.#builder.know(id, { stream: output, doubtful });
    this.#builder.pushBehind({ kind: 'select', id, parallelism, fields, output }, [outlet]);
  }

  #addFlatMap(step: FlatMapStepSpec): void {
    const input = this.#builder.input(step);
    if (input === null) return;
    const { fields, doubtful } = this.#builder.expressions(step.fields, input, 'array');
    const made = new Set(fields.map(({ name }) => name));
    const kept = input.stream.schema.fields.flatMap(({ name }, index) => (made.has(name) ? [] : [index]));
    const stillDoubtful = new Set([...input.doubtful].filter((name) => !made.has(name)));
    for (const name of doubtful) stillDoubtful.add(name);
    const outlet = this.#builder.retractingOutlet(step);
    if (outlet === null) return;
    const { id, parallelism } = step;
    const output = flatMapStream(outlet.stream, fields, kept);
    this.#builder.know(id, { stream: output, doubtful: stillDoubtful });
    this.#builder.pushBehind({ kind: 'flat-map', id, parallelism, fields, kept, output }, [outlet]);
  }

  #addUnion(step: UnionStepSpec): void {
    const inputs = step.inputs.map((_, index) => this.#builder.input(step, index));
    const known = inputs.filter((input) => input !== null);
    const first = known[0];
    if (first === undefined) return;
    const doubtful = new Set(known.flatMap((input) => [...input.doubtful]));
    const withoutDoubts = doubtful.size === 0;
    inputs.forEach((input, index) => {
      if (input === null || !withoutDoubts) return;
      const difference = schemaDifference(first.stream.schema, input.stream.schema, (field) => formatType(field.type));
      if (difference === null) return;
      const range = step.inputs[index]?.range ?? step.verbRange;
      const expected = 'a `select` with the same fields';
      this.#builder.problems.add('MR-JOB-UNION-SCHEMA', range, { difference }, { expected });
    });
    const outlets = step.inputs.map((_, index) => this.#builder.retractingOutlet(step, index));
    const output = unionStream(outlets.flatMap((outlet) => outlet?.stream ?? []));
    this.#builder.know(step.id, { stream: output, doubtful });
    if (known.length < inputs.length) return;
    this.#builder.pushBehind({ kind: 'union', id: step.id, parallelism: step.parallelism, output }, outlets);
  }

  /** One filter per branch: not for an earlier branch, and for this one. */
  #addSplit(step: SplitStepSpec): void {
    const input = this.#builder.input(step);
    if (input === null) return;
    const earlier: Expression[] = [];
    for (const branch of step.branches) {
      const { condition: text } = branch;
      const condition = text === null ? null : checkCondition(text, input, this.#builder.problems);
      const id = branchId(step.id, branch.name);
      this.#builder.know(id, input);
      if (text !== null && condition === null) continue;
      const predicate = branchPredicate(earlier, condition);
      if (condition !== null) earlier.push(condition);
      this.#pushFilter(id, step, predicate, input);
    }
  }

  #addSink(step: StepSpec & { readonly kind: 'sink' }): void {
    const { catalog, checkpoint, problems } = this.#builder;
    const spec = checkSink(step, this.#builder.input(step), catalog, checkpoint, problems);
    if (spec === null) return;
    this.#builder.push(step, { kind: 'sink', id: step.id, parallelism: step.parallelism, spec, output: null });
  }

}

const BOOLEAN: DataType = { kind: 'boolean' };
/** TRUE for rows that no earlier branch takes and this one does; NULL conditions take no row. */
function branchPredicate(earlier: readonly Expression[], own: Expression | null): Expression {
  const is = (value: boolean): Expression => ({ kind: 'literal', type: BOOLEAN, value });
  if (earlier.length === 0 && own !== null) return own;
  const branches = earlier.map((when) => ({ when, then: is(false) }));
  if (own === null) return { kind: 'case', branches, otherwise: is(true), type: BOOLEAN };
  return {
    kind: 'case',
    branches: [...branches, { when: own, then: is(true) }],
    otherwise: is(false),
    type: BOOLEAN,
  };
}

