import { nearestName, rowSchema } from '../../core/index.ts';
import type { CodeReference, RowSchema } from '../../core/index.ts';
import type { ProcessStepSpec } from '../spec/job-spec.ts';
import type { PlacedText } from '../spec/placed-text.ts';
import { declaredFields } from './declared-fields.ts';
import { branchId } from './graph-builder.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { LogicalProcess, RowStream } from './logical-graph.ts';
import { exportedNames, fileReference, lacksExport } from './step-code.ts';
import type { StepCode } from './step-code.ts';
import { NOTHING_DOUBTFUL } from './step-stream.ts';

/** Code of users per row. */
export function addProcess(step: ProcessStepSpec, builder: GraphBuilder): void {
  const { id, parallelism, longs } = step;
  const { problems } = builder;
  const before = problems.count;
  const known = builder.code.ofStep(id);
  const code = known ?? fileCode(step.code, builder);
  const schema = outputOf(step, known, builder);
  const input = builder.input(step);
  const sides = step.sides.map(({ branch, fields }) => ({ name: branch.name, ...declared(fields, builder) }));
  // Without its input nothing is known of event time; the rows behind are known all the same.
  const stream: Omit<RowStream, 'schema'> = {
    changelog: 'append',
    uniqueKeys: [],
    hasEventTime: input?.stream.hasEventTime ?? true,
  };
  for (const { name, schema: of, doubtful } of sides) {
    builder.know(branchId(id, name), { stream: { ...stream, schema: of }, doubtful });
  }
  const output = schema?.schema ?? (known?.role === 'filter' ? input?.stream.schema : undefined);
  if (output === undefined) return;
  const doubtful = schema === null ? (input?.doubtful ?? NOTHING_DOUBTFUL) : schema.doubtful;
  builder.know(id, { stream: { ...stream, schema: output }, doubtful });
  if (input === null) return;
  const keys = builder.keys(step.keys, input);
  refuseUpdates(step, input.stream, builder);
  if (code === null || keys.length < step.keys.length || problems.count > before) return;
  const node: LogicalProcess = {
    kind: 'process',
    id,
    parallelism,
    code: code.reference,
    role: code.role,
    keys,
    longs,
    sides: sides.map(({ name, schema: of }) => ({ name, schema: of })),
    inputFields: input.stream.schema.fields.length,
    output: { ...stream, schema: output },
  };
  builder.push(step, node);
  for (const { name, schema: of } of sides) {
    const aside = { id: branchId(id, name), parallelism, output: { ...stream, schema: of } };
    builder.pushBehind({ kind: 'side', side: name, ...aside }, [{ id, stream: node.output }]);
  }
}

interface Declared {
  readonly schema: RowSchema;
  readonly doubtful: ReadonlySet<string>;
}

function declared(fields: ProcessStepSpec['fields'], { problems }: GraphBuilder): Declared {
  const found = declaredFields(fields ?? [], problems);
  return { schema: rowSchema(found?.fields ?? []), doubtful: new Set(found?.doubtful) };
}

/** What the step emits; null where it says nothing: then it lets rows through, or has a problem. */
function outputOf(step: ProcessStepSpec, known: StepCode | null, builder: GraphBuilder): Declared | null {
  if (step.fields !== null) return declared(step.fields, builder);
  if (known?.role === 'filter') return null;
  builder.problems.add('MR-JOB-MISSING-KEY', step.verbRange, { where: `step \`${step.id}\``, key: 'schema' }, {
    expected: '`schema: {FIELD: type, …}`, the fields of what the code emits',
  });
  return null;
}

/** The code that a job file names; null where something of it is wrong. */
export function fileCode(text: PlacedText, { code, problems }: GraphBuilder): StepCode | null {
  if (text.isIncomplete) return null;
  const reference = fileReference(text.text);
  if (reference === null) {
    const problem = `\`${text.hideVariables(text.text)}\` names no export of a file`;
    problems.add('MR-JOB-CODE', text.range, { problem }, {
      expected: '`./FILE.ts#EXPORT`, relative to the job file, with `#default` for a default export',
    });
    return null;
  }
  const { path, name } = reference;
  const file = code.files.get(path);
  if (file?.text === null) {
    const problem = `there is no file ${text.hideVariables(path)}`;
    const expected = 'the path of a module, relative to the job file';
    problems.add('MR-JOB-CODE', text.range, { problem }, { expected });
    return null;
  }
  if (file !== undefined && name !== 'default' && lacksExport(file.text, name)) {
    const names = exportedNames(file.text);
    const problem = `${text.hideVariables(path)} has no export \`${text.hideVariables(name)}\``;
    problems.add('MR-JOB-CODE', text.range, { problem }, {
      expected: names.length === 0 ? `\`export class ${name}\` there` : `one of ${names.slice(0, 20).join(', ')}`,
      suggestion: nearestName(name, names),
    });
    return null;
  }
  const module: CodeReference = { module: file?.url ?? new URL(path, 'file:///').href, name, step: null };
  return { reference: module, role: 'process' };
}

function refuseUpdates(step: ProcessStepSpec, { changelog }: RowStream, { problems }: GraphBuilder): void {
  if (changelog === 'append') return;
  const rows = changelog === 'upsert' ? 'replace earlier ones' : 'are taken back again';
  const problem = `the code of \`${step.id}\` reads rows of which some ${rows}, and it is not told which`;
  problems.add('MR-JOB-CHANGELOG', step.verbRange, { problem }, {
    expected: 'rows that are only added: this step in front of the one that replaces them',
  });
}
