import { formatType, nearestName } from '../../core/index.ts';
import type {
  AggregateCall,
  CheckpointSettings,
  ConnectorCatalog,
  DataType,
  Expression,
  Field,
} from '../../core/index.ts';
import type {
  AggregateStepSpec,
  FilterStepSpec,
  FlatMapStepSpec,
  JobSpec,
  NamedText,
  SelectStepSpec,
  SplitBranch,
  SplitStepSpec,
  StepInput,
  StepSpec,
  UnionStepSpec,
} from '../spec/job-spec.ts';
import type { PlacedText } from '../spec/placed-text.ts';
import type { ProblemList } from '../spec/problem.ts';
import type { TextRange } from '../spec/source-text.ts';
import {
  aggregateStream,
  filterStream,
  flatMapStream,
  schemaDifference,
  selectStream,
  unionStream,
} from './changelog-rules.ts';
import type { ChangelogResult } from './changelog-rules.ts';
import { checkAggregate, checkCondition, checkExpression } from './check-expression.ts';
import { checkSink } from './check-sink.ts';
import { checkSource } from './check-source.ts';
import type { LogicalEdge, LogicalGraph, LogicalNode, NamedExpression } from './logical-graph.ts';
import { mentions, NOTHING_DOUBTFUL } from './step-stream.ts';
import type { StepStream } from './step-stream.ts';

/** The graph of a job's steps; null where there are problems, all of which go to `problems`. */
export function buildLogicalGraph(
  spec: JobSpec,
  parallelism: number,
  catalog: ConnectorCatalog,
  problems: ProblemList,
): LogicalGraph | null {
  const builder = new LogicalGraphBuilder(spec, catalog, problems);
  for (const step of topological(spec.steps)) builder.add(step);
  if (problems.count > 0) return null;
  return Object.freeze({
    name: spec.name,
    parallelism,
    maxParallelism: spec.maxParallelism,
    checkpoint: spec.checkpoint,
    restart: spec.restart,
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

const branchId = (stepId: string, branch: string): string => `${stepId}.${branch}`;
const nodeIdOf = ({ stepId, branch }: StepInput): string => (branch === null ? stepId : branchId(stepId, branch));

class LogicalGraphBuilder {
  readonly nodes: LogicalNode[] = [];
  readonly edges: LogicalEdge[] = [];
  readonly #catalog: ConnectorCatalog;
  readonly #problems: ProblemList;
  readonly #maxParallelism: number;
  readonly #checkpoint: CheckpointSettings | null;
  /** By node id; absent where nothing is known. */
  readonly #streams = new Map<string, StepStream>();

  constructor(spec: JobSpec, catalog: ConnectorCatalog, problems: ProblemList) {
    this.#catalog = catalog;
    this.#problems = problems;
    this.#maxParallelism = spec.maxParallelism;
    this.#checkpoint = spec.checkpoint;
  }

  add(step: StepSpec): void {
    this.#checkParallelism(step);
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
        this.#addAggregate(step);
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
        const input = this.#input(step);
        if (step.keepsFields && input !== null) this.#streams.set(step.id, input);
        break;
      }
    }
  }

  #addSource(step: StepSpec & { readonly kind: 'source' }): void {
    const { spec, bounded, watermark, output } = checkSource(step, this.#catalog, this.#problems);
    if (output === null) return;
    this.#streams.set(step.id, output);
    if (spec === null) return;
    const { id, parallelism } = step;
    this.#push(step, { kind: 'source', id, parallelism, spec, bounded, watermark, output: output.stream });
  }

  #addFilter(step: FilterStepSpec): void {
    const input = this.#input(step);
    if (input === null) return;
    const predicate = checkCondition(step.predicate, input, this.#problems);
    // A filter that is wrong lets the same fields through.
    this.#streams.set(step.id, input);
    if (predicate === null) return;
    const result = filterStream(input.stream, predicate);
    const output = this.#changelog(step.id, result, step.predicate.range, input.doubtful);
    if (output === null) return;
    this.#push(step, { kind: 'filter', id: step.id, parallelism: step.parallelism, predicate, output: output.stream });
  }

  #addSelect(step: SelectStepSpec): void {
    const input = this.#input(step);
    if (input === null) return;
    const { fields, doubtful } = this.#expressions(step.fields, input, null);
    const output = this.#changelog(step.id, selectStream(input.stream, fields), step.verbRange, doubtful);
    if (output === null) return;
    this.#push(step, { kind: 'select', id: step.id, parallelism: step.parallelism, fields, output: output.stream });
  }

  #addFlatMap(step: FlatMapStepSpec): void {
    const input = this.#input(step);
    if (input === null) return;
    const { fields, doubtful } = this.#expressions(step.fields, input, 'array');
    const made = new Set(fields.map(({ name }) => name));
    const kept = input.stream.schema.fields.flatMap(({ name }, index) => (made.has(name) ? [] : [index]));
    const stillDoubtful = new Set([...input.doubtful].filter((name) => !made.has(name)));
    for (const name of doubtful) stillDoubtful.add(name);
    const result = flatMapStream(input.stream, fields, kept);
    const output = this.#changelog(step.id, result, step.verbRange, stillDoubtful);
    if (output === null) return;
    const { id, parallelism } = step;
    this.#push(step, { kind: 'flat-map', id, parallelism, fields, kept, output: output.stream });
  }

  #addAggregate(step: AggregateStepSpec): void {
    const input = this.#input(step);
    if (input === null) return;
    const before = this.#problems.count;
    const keys = this.#keys(step.keys, input);
    const keyNames = keys.map((index) => input.stream.schema.fields[index]?.name ?? '');
    const calls: AggregateCall[] = [];
    const doubtful = new Set(keyNames.filter((name) => input.doubtful.has(name)));
    for (const { name, nameRange, text } of step.calls) {
      if (keyNames.includes(name)) {
        this.#problems.add('MR-JOB-DUPLICATE-FIELD', nameRange, { name, other: 'it is a field of `key`' });
      }
      // The present version refuses the window, and with it whatever only windows have.
      if (step.windowed && /\bwindow_/i.test(text.text)) continue;
      const call = checkAggregate(name, text, input, this.#problems);
      if (call === null || mentions(text.text, input.doubtful)) doubtful.add(name);
      calls.push(call ?? placeholderCall(name));
    }
    if (step.keys.length === 0 && (step.parallelism ?? 1) > 1) {
      this.#problems.add('MR-JOB-BAD-VALUE', step.verbRange, {
        what: `the parallelism of \`${step.id}\``,
        problem: 'must be 1: without `key` there is one total',
      });
    }
    if (step.windowed || keys.length < step.keys.length) return;
    const result = aggregateStream(input.stream, keys, calls);
    const output = this.#changelog(step.id, result, step.verbRange, doubtful);
    if (output === null || this.#problems.count > before) return;
    const parallelism = keys.length === 0 ? 1 : step.parallelism;
    this.#push(step, { kind: 'aggregate', id: step.id, parallelism, keys, calls, output: output.stream });
  }

  #addUnion(step: UnionStepSpec): void {
    const inputs = step.inputs.map((input) => this.#streams.get(nodeIdOf(input)) ?? null);
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
      this.#problems.add('MR-JOB-UNION-SCHEMA', range, { difference }, { expected: 'a `select` with the same fields' });
    });
    const result = unionStream(known.map((input) => input.stream));
    const output = this.#changelog(step.id, result, step.verbRange, doubtful);
    if (output === null || known.length < inputs.length) return;
    this.#push(step, { kind: 'union', id: step.id, parallelism: step.parallelism, output: output.stream });
  }

  /** One filter per branch: not for an earlier branch, and for this one. */
  #addSplit(step: SplitStepSpec): void {
    const input = this.#input(step);
    if (input === null) return;
    const earlier: Expression[] = [];
    for (const branch of step.branches) {
      const { condition: text } = branch;
      const condition = text === null ? null : checkCondition(text, input, this.#problems);
      const id = branchId(step.id, branch.name);
      this.#streams.set(id, input);
      if (text !== null && condition === null) continue;
      const predicate = branchPredicate(earlier, condition);
      if (condition !== null) earlier.push(condition);
      const result = filterStream(input.stream, predicate);
      const output = this.#changelog(id, result, branchRange(branch), input.doubtful);
      if (output === null) continue;
      this.#push(step, { kind: 'filter', id, parallelism: step.parallelism, predicate, output: output.stream });
    }
  }

  #addSink(step: StepSpec & { readonly kind: 'sink' }): void {
    const spec = checkSink(step, this.#input(step), this.#catalog, this.#checkpoint, this.#problems);
    if (spec === null) return;
    this.#push(step, { kind: 'sink', id: step.id, parallelism: step.parallelism, spec, output: null });
  }

  #push(step: StepSpec, node: LogicalNode): void {
    this.nodes.push(Object.freeze(node));
    step.inputs.forEach((input, index) => {
      const from = nodeIdOf(input);
      const stream = this.#streams.get(from)?.stream;
      if (stream !== undefined) this.edges.push(Object.freeze({ from, to: node.id, input: index, stream }));
    });
  }

  #input(step: StepSpec): StepStream | null {
    const input = step.inputs[0];
    return input === undefined ? null : (this.#streams.get(nodeIdOf(input)) ?? null);
  }

  /** Remembers what the step emits, or reports why it cannot. */
  #changelog(
    id: string,
    result: ChangelogResult,
    range: TextRange,
    doubtful: ReadonlySet<string>,
  ): StepStream | null {
    if (result.stream === null) {
      const { problem, expected } = result;
      this.#problems.add('MR-JOB-CHANGELOG', range, { problem }, { expected });
      this.#streams.delete(id);
      return null;
    }
    const output = { stream: result.stream, doubtful };
    this.#streams.set(id, output);
    return output;
  }

  /** Expressions of named fields. One that is wrong stays as a NULL of an unknown type, so that its name is known. */
  #expressions(
    named: readonly NamedText[],
    input: StepStream,
    wanted: 'array' | null,
  ): { readonly fields: readonly NamedExpression[]; readonly doubtful: ReadonlySet<string> } {
    const doubtful = new Set<string>();
    const fields = named.map(({ name, text }) => {
      const expression = checkExpression(text, input, this.#problems);
      if (expression === null || mentions(text.text, input.doubtful)) {
        doubtful.add(name);
      } else if (wanted !== null && expression.type.kind !== wanted) {
        this.#wrongType(`\`${name}\` of a flatMap`, text, 'an array', expression.type);
        doubtful.add(name);
      }
      return { name, expression: expression ?? UNKNOWN };
    });
    return { fields, doubtful: doubtful.size === 0 ? NOTHING_DOUBTFUL : doubtful };
  }

  #wrongType(what: string, text: PlacedText, expected: string, given: DataType): void {
    const fields = { what, expected, given: formatType(given) };
    this.#problems.add('MR-JOB-EXPRESSION-TYPE', text.range, fields, { expected });
  }

  #keys(names: readonly PlacedText[], input: StepStream): readonly number[] {
    const { fields } = input.stream.schema;
    const keys: number[] = [];
    for (const text of names) {
      if (text.isIncomplete) continue;
      const name = text.text;
      const index = fields.findIndex((field) => field.name === name);
      const field = fields[index];
      if (field === undefined) this.#unknownKey(text, fields);
      else if (keys.includes(index)) {
        this.#problems.add('MR-JOB-DUPLICATE-FIELD', text.range, { name, other: '`key` names it before' });
      } else if (!isKeyType(field.type) && !input.doubtful.has(name)) {
        this.#problems.add('MR-JOB-KEY-TYPE', text.range, { name, type: formatType(field.type) });
      } else {
        keys.push(index);
      }
    }
    return keys;
  }

  #unknownKey(text: PlacedText, fields: readonly Field[]): void {
    const known = fields.map((field) => field.name);
    this.#problems.add('MR-JOB-UNKNOWN-FIELD', text.range, { name: text.hideVariables(text.text) }, {
      expected: `one of ${known.slice(0, 30).join(', ')}`,
      suggestion: nearestName(text.text, known),
    });
  }

  #checkParallelism(step: StepSpec): void {
    const limit = this.#maxParallelism;
    if (step.parallelism === null || step.parallelism <= limit) return;
    this.#problems.add('MR-JOB-PARALLELISM', step.idRange, { given: step.parallelism, limit });
  }
}

const BOOLEAN: DataType = { kind: 'boolean' };
const UNKNOWN: Expression = { kind: 'literal', type: { kind: 'string' }, value: null };

function placeholderCall(name: string): AggregateCall {
  return { name, function: 'count', argument: null, distinct: false, filter: null, type: { kind: 'long' } };
}

/** What has no equality that hashing agrees with: core/hash.ts. JSON texts may differ and mean the same. */
function isKeyType(type: DataType): boolean {
  return type.kind !== 'array' && type.kind !== 'map' && type.kind !== 'row' && type.kind !== 'json';
}

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

function branchRange(branch: SplitBranch): TextRange {
  return branch.condition?.range ?? branch.nameRange;
}

