/** The commented job that `millrace create` writes: valid as it is, for every source and sink of this build. */
import type { Field, SinkConnector, SourceConnector } from '../core/index.ts';
import { compileJob } from '../graph/index.ts';
import { catalog } from './catalog.ts';

export interface StarterRequest {
  readonly name: string;
  readonly source: SourceConnector;
  readonly sink: SinkConnector;
}

type Schema = Readonly<Record<string, string>>;

/** What a record holds where the job declares it. */
const RECORD: Schema = { id: 'long', region: 'string', amount: 'decimal(10,2)', ts: 'timestamp' };
/** Where a record is but text. */
const LINE: Schema = { line: 'string' };

export async function starterJob({ name, source, sink }: StarterRequest): Promise<string> {
  const { declared, fields } = await fittingSchema(source);
  const isRecord = declared === RECORD;
  const steps = isRecord ? recordSteps() : fieldSteps(fields);
  return `${[heading(name), sourceStep(source, declared), ...steps, sinkStep(sink, isRecord)].join('\n\n')}\n`;
}

/** The first schema, or none, that the source takes with the options of its example, and the fields that it gives. */
async function fittingSchema(source: SourceConnector): Promise<{ declared: Schema | null; fields: readonly Field[] }> {
  for (const declared of [null, RECORD, LINE]) {
    const text = ['name: probe', 'steps:', sourceStep(source, declared), '  - id: out\n    sink: blackhole'].join('\n');
    const { logical } = await compileJob(text, { fileName: 'probe', variables: () => undefined, catalog });
    const fields = logical?.nodes.find(({ kind }) => kind === 'source')?.output?.schema.fields;
    if (fields !== undefined) return { declared, fields };
  }
  throw new Error(`the example of source ${source.name} fits no schema`);
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

function sourceStep({ name, doc, example }: SourceConnector, declared: Schema | null): string {
  const fields = Object.entries(declared ?? {}).map(([field, type]) => `      ${field}: ${type}`);
  const heading = '\n    schema: # the fields of a record and their types\n';
  const schema = declared === null ? '' : heading + fields.join('\n');
  return `  # ${doc}
  # \`millrace list connectors ${name}\` lists its options, \`millrace list connectors\` the other sources.
  - id: input
    source: ${name}${withBlock(example)}${schema}`;
}

function recordSteps(): string[] {
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

function fieldSteps(fields: readonly Field[]): string[] {
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

function sinkStep({ name, doc, example, options, formatUse }: SinkConnector, hasRegion: boolean): string {
  // The example's key is one of RECORD.
  const fitting = hasRegion ? example : example.replace(/^key:.*\n?/m, '');
  const isNeeded = formatUse === 'required' || Object.values(options).some(({ required }) => required === true);
  const block = isNeeded ? withBlock(fitting) : withBlock(fitting).replace(/^ {4}/gm, '    # ');
  return `  # ${doc}
  - id: output
    sink: ${name}${block}`;
}
