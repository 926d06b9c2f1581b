/** The commented job that `millrace create` writes: valid as it is, for every source and sink of this build. */
import type { Field, SinkConnector, SourceConnector } from '../core/index.ts';
import { compileJob } from '../graph/index.ts';
import { catalog } from './catalog.ts';

export interface StarterRequest {
  readonly name: string;
  readonly source: SourceConnector;
  readonly sink: SinkConnector;
}

/** What a record holds where the job declares it. */
const SCHEMA: Readonly<Record<string, string>> = {
  id: 'long',
  region: 'string',
  amount: 'decimal(10,2)',
  ts: 'timestamp',
};

export async function starterJob(request: StarterRequest): Promise<string> {
  const fixed = await fixedFields(request.source);
  const { name, source, sink } = request;
  return `${[
    heading(name),
    sourceStep(source, fixed === null),
    ...(fixed === null ? ownSteps() : fixedSteps(fixed)),
    sinkStep(sink, fixed === null),
  ].join('\n\n')}\n`;
}

/** The fields where the connector or its format decides them; null where the job declares them. */
async function fixedFields(source: SourceConnector): Promise<readonly Field[] | null> {
  const text = ['name: probe', 'steps:', sourceStep(source, false), '  - id: out\n    sink: blackhole'].join('\n');
  const { logical } = await compileJob(text, { fileName: 'probe', variables: () => undefined, catalog });
  const node = logical?.nodes.find(({ kind }) => kind === 'source');
  return node?.output?.schema.fields ?? null;
}

function heading(name: string): string {
  return `# A job of Millrace.
#   npx millrace lint FILE      checks it: every mistake with its line and column
#   npx millrace explain FILE   shows how it would run
#   npx millrace run FILE       runs it; Ctrl-C stops it
# \${NAME} and \${NAME:-default} are variables: --set NAME=value, or the environment.
name: ${name}
parallelism: 1 # how many subtasks run each step

# A step has an id, one verb, and reads the step before it unless \`from:\` names another.
steps:`;
}

function indented(text: string, by: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : by + line))
    .join('\n');
}

function withBlock(example: string): string {
  return example.trim() === '' ? '' : `\n    with:\n${indented(example, '      ')}`;
}

function sourceStep({ name, doc, example }: SourceConnector, declares: boolean): string {
  const fields = Object.entries(SCHEMA).map(([field, type]) => `      ${field}: ${type}`);
  const schema = declares ? `\n    schema: # the fields of a record and their types\n${fields.join('\n')}` : '';
  return `  # ${doc}
  # \`millrace list connectors ${name}\` lists its options, \`millrace list connectors\` the other sources.
  - id: input
    source: ${name}${withBlock(example)}${schema}`;
}

function ownSteps(): string[] {
  return [
    `  # Only rows for which the expression is TRUE go on. Expressions are SQL: \`millrace list functions\`.
  - id: large
    filter: amount > 100 AND region IS NOT NULL`,
    `  # New rows, field by field.
  - id: slim
    select:
      id: id
      region: UPPER(region)
      amount: amount`,
    `  # Totals per region, renewed with every row:
  # - id: totals
  #   key: [region]
  #   aggregate:
  #     total: SUM(amount)
  #     orders: COUNT(*)`,
  ];
}

function fixedSteps(fields: readonly Field[]): string[] {
  const first = quoted(fields[0]?.name ?? '');
  const lines = fields.map(({ name }) => `      ${name}: ${quoted(name)}`);
  return [
    `  # Only rows for which the expression is TRUE go on. Expressions are SQL: \`millrace list functions\`.
  - id: chosen
    filter: ${first} IS NOT NULL`,
    `  # New rows, field by field.
  - id: fields
    select:
${lines.join('\n')}`,
  ];
}

/** SQL's form of a name that may be a keyword. */
function quoted(name: string): string {
  return /^[a-z][A-Za-z0-9]*$/.test(name) && !['key', 'value', 'user', 'order'].includes(name) ? name : `'"${name}"'`;
}

function sinkStep({ name, doc, example }: SinkConnector, hasOwnFields: boolean): string {
  // The example's key is one of SCHEMA.
  const fitting = hasOwnFields ? example : example.replace(/^key:.*\n?/m, '');
  return `  # ${doc}
  - id: output
    sink: ${name}${withBlock(fitting)}`;
}
