import { formatType, nearestName } from '../../core/index.ts';
import type { CheckpointSettings, ConnectorCatalog, DataType, Expression, Field } from '../../core/index.ts';
import type { JobSpec, NamedText, StepInput, StepSpec } from '../spec/job-spec.ts';
import type { PlacedText } from '../spec/placed-text.ts';
import type { ProblemList } from '../spec/problem.ts';
import type { TextRange } from '../spec/source-text.ts';
import { normalisedStream } from './changelog-rules.ts';
import type { ChangelogResult } from './changelog-rules.ts';
import { checkExpression } from './check-expression.ts';
import { isKeyType } from './key-type.ts';
import type { LogicalEdge, LogicalNode, NamedExpression, RowStream } from './logical-graph.ts';
import type { CodeSource } from './step-code.ts';
import { mentions, NOTHING_DOUBTFUL } from './step-stream.ts';
import type { StepStream } from './step-stream.ts';

export const branchId = (stepId: string, branch: string): string => `${stepId}.${branch}`;
const nodeIdOf = ({ stepId, branch }: StepInput): string => (branch === null ? stepId : branchId(stepId, branch));

export interface Outlet {
  readonly id: string;
  readonly stream: RowStream;
}

/** The nodes and edges so far, what is known of every stream, and what all verbs need to add theirs. */
export class GraphBuilder {
  readonly nodes: LogicalNode[] = [];
  readonly edges: LogicalEdge[] = [];
  readonly catalog: ConnectorCatalog;
  readonly problems: ProblemList;
  readonly checkpoint: CheckpointSettings | null;
  readonly code: CodeSource;
  readonly #maxParallelism: number;
  readonly #steps: ReadonlyMap<string, StepSpec>;
  /** By node id; absent where nothing is known. */
  readonly #streams = new Map<string, StepStream>();
  readonly #outlets = new Map<string, string>();

  constructor(spec: JobSpec, catalog: ConnectorCatalog, problems: ProblemList, code: CodeSource) {
    this.code = code;
    this.catalog = catalog;
    this.problems = problems;
    this.checkpoint = spec.checkpoint;
    this.#maxParallelism = spec.maxParallelism;
    this.#steps = new Map(spec.steps.map((step) => [step.id, step]));
  }

  /** What is known of the rows that a step reads; null where nothing is. */
  input(step: StepSpec, index = 0): StepStream | null {
    const input = step.inputs[index];
    return input === undefined ? null : (this.#streams.get(nodeIdOf(input)) ?? null);
  }

  /** Remembers what leaves a node. */
  know(id: string, stream: StepStream): void {
    this.#streams.set(id, stream);
  }

  /** Adds a node that reads what its step reads. */
  push(step: StepSpec, node: LogicalNode): void {
    this.pushBehind(node, step.inputs.map((_, index) => this.outlet(step, index)));
  }

  /** Adds a node that reads other nodes. */
  pushBehind(node: LogicalNode, inputs: readonly (Outlet | null)[]): void {
    this.nodes.push(Object.freeze(node));
    inputs.forEach((outlet, input) => {
      if (outlet === null) return;
      this.edges.push(Object.freeze({ from: outlet.id, to: node.id, input, stream: outlet.stream }));
    });
  }

  /** The node that rows leave a step by; its own, but where a verb is several nodes. */
  leavesBy(stepId: string, nodeId: string): void {
    this.#outlets.set(stepId, nodeId);
  }

  /** Where the rows that a step reads come from; null where nothing is known of them. */
  outlet(step: StepSpec, index = 0): Outlet | null {
    const stream = this.input(step, index)?.stream;
    const input = step.inputs[index];
    if (stream === undefined || input === undefined) return null;
    const id = nodeIdOf(input);
    return { id: this.#outlets.get(id) ?? id, stream };
  }

  /** As outlet(), for a step that has to know which rows are replaced: those that reach it are taken back. */
  retractingOutlet(step: StepSpec, index = 0): Outlet | null {
    const outlet = this.outlet(step, index);
    const [keys] = outlet?.stream.uniqueKeys ?? [];
    if (outlet?.stream.changelog !== 'upsert' || keys === undefined) return outlet;
    const id = `${step.id}.normalise${index === 0 ? '' : String(index)}`;
    const output = normalisedStream(outlet.stream);
    if (!this.nodes.some((node) => node.id === id)) {
      this.pushBehind({ kind: 'normalise', id, parallelism: null, keys, output }, [outlet]);
    }
    return { id, stream: output };
  }

  /** Remembers what the step emits, or reports why it cannot. */
  changelog(
    id: string,
    result: ChangelogResult,
    range: TextRange,
    doubtful: ReadonlySet<string>,
  ): StepStream | null {
    if (result.stream === null) {
      const { problem, expected } = result;
      this.problems.add('MR-JOB-CHANGELOG', range, { problem }, { expected });
      this.#streams.delete(id);
      return null;
    }
    const output = { stream: result.stream, doubtful };
    this.#streams.set(id, output);
    return output;
  }

  /** Expressions of named fields. One that is wrong stays as a NULL of an unknown type, so that its name is known. */
  expressions(
    named: readonly NamedText[],
    input: StepStream,
    wanted: 'array' | null,
  ): { readonly fields: readonly NamedExpression[]; readonly doubtful: ReadonlySet<string> } {
    const doubtful = new Set<string>();
    const fields = named.map(({ name, text }) => {
      const expression = checkExpression(text, input, this.problems);
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
    this.problems.add('MR-JOB-EXPRESSION-TYPE', text.range, fields, { expected });
  }

  keys(names: readonly PlacedText[], input: StepStream): readonly number[] {
    const { fields } = input.stream.schema;
    const keys: number[] = [];
    for (const text of names) {
      if (text.isIncomplete) continue;
      const name = text.text;
      const index = fields.findIndex((field) => field.name === name);
      const field = fields[index];
      if (field === undefined) this.#unknownKey(text, fields);
      else if (keys.includes(index)) {
        this.problems.add('MR-JOB-DUPLICATE-FIELD', text.range, { name, other: '`key` names it before' });
      } else if (!isKeyType(field.type) && !input.doubtful.has(name)) {
        this.problems.add('MR-JOB-KEY-TYPE', text.range, { name, type: formatType(field.type) });
      } else {
        keys.push(index);
      }
    }
    return keys;
  }

  #unknownKey(text: PlacedText, fields: readonly Field[]): void {
    const known = fields.map((field) => field.name);
    this.problems.add('MR-JOB-UNKNOWN-FIELD', text.range, { name: text.hideVariables(text.text) }, {
      expected: `one of ${known.slice(0, 30).join(', ')}`,
      suggestion: nearestName(text.text, known),
    });
  }

  checkParallelism(step: StepSpec): void {
    const limit = this.#maxParallelism;
    if (step.parallelism === null || step.parallelism <= limit) return;
    this.problems.add('MR-JOB-PARALLELISM', step.idRange, { given: step.parallelism, limit });
  }

  /**
   * Reports that a step reckons with time and reads rows that have none: names the sources without a watermark, or the
   * steps behind which rows have no time of their own. Returns whether all is well.
   */
  requireEventTime(step: StepSpec, what: string, range: TextRange): boolean {
    const guilty = this.#timeless(step);
    const [first] = guilty;
    if (first === undefined) return true;
    const names = guilty.map((id) => `\`${id}\``).join(' and ');
    const isSource = this.#steps.get(first)?.kind === 'source';
    const problem = `${what} reckons with the time of rows, and those of ${names} have none`;
    this.problems.add('MR-JOB-EVENT-TIME', range, { problem }, {
      expected: isSource ? `\`watermark: {field: …, delay: …}\` in ${names}` : `a step in front of ${names}`,
    });
    return false;
  }

  /** Of all that a step reads, where time is missing: the first steps whose rows have none. */
  #timeless(step: StepSpec): readonly string[] {
    const guilty = new Set<string>();
    const seen = new Set<StepInput>();
    const waiting = [...step.inputs];
    for (let input = waiting.pop(); input !== undefined; input = waiting.pop()) {
      if (seen.has(input) || !this.#lacksEventTime(input)) continue;
      seen.add(input);
      const above = (this.#steps.get(input.stepId)?.inputs ?? []).filter((each) => this.#lacksEventTime(each));
      if (above.length === 0) guilty.add(input.stepId);
      waiting.push(...above);
    }
    return [...guilty].reverse();
  }

  #lacksEventTime(input: StepInput): boolean {
    return this.#streams.get(nodeIdOf(input))?.stream.hasEventTime === false;
  }
}

const UNKNOWN: Expression = { kind: 'literal', type: { kind: 'string' }, value: null };
