import { formatType, nearestName, rowSchema } from '../../core/index.ts';
import type {
  CodeReference,
  Expression,
  Field,
  LookupConnector,
  LookupSpec,
  OptionProblem,
  RowSchema,
} from '../../core/index.ts';
import type { LookupStepSpec } from '../spec/job-spec.ts';
import { fileCode } from './add-process.ts';
import { lookupStream } from './changelog-rules.ts';
import { checkExpression } from './check-expression.ts';
import { checkWith, reportChecks, tableOf } from './check-with.ts';
import { computeFields } from './computed-fields.ts';
import { declaredFields } from './declared-fields.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { isKeyType } from './key-type.ts';
import { mentions } from './step-stream.ts';
import type { StepStream } from './step-stream.ts';

export function addLookup(step: LookupStepSpec, builder: GraphBuilder): void {
  const input = builder.input(step);
  const outlet = builder.outlet(step);
  if (input === null || outlet === null) return;
  const { problems } = builder;
  const before = problems.count;
  const keys = checkKeys(step, input, builder);
  const { fields = [], doubtful: unclear = [] } = declaredFields(step.fields, problems) ?? {};
  checkNames(step, input, builder);
  const result = lookupStream(input.stream, fields);
  const doubtful = new Set([...input.doubtful, ...unclear]);
  const output = builder.changelog(step.id, result, step.verbRange, doubtful);
  const known = keys === null || doubtful.size > 0 ? null : fields;
  const made = builder.code.ofLookup(step.id);
  const isCode = made !== null || step.connector.text.includes('#');
  const code = isCode ? (made ?? checkCode(step, builder)) : null;
  const spec = isCode ? codeSpec(step, keys ?? [], fields) : checkSpec(step, keys ?? [], known, builder);
  if (output === null || keys === null || spec === null || problems.count > before) return;
  const { id, parallelism, type, isOrdered, capacity, timeoutMs, retry, cache } = step;
  const { columns, select, outlet: arriving } = computeFields(`${id}.on`, outlet, keys);
  if (select !== null) builder.pushBehind(select, [outlet]);
  const node = {
    kind: 'lookup',
    id,
    parallelism,
    spec,
    code,
    keys: columns,
    kept: input.stream.schema.fields.map((_, index) => index),
    found: fields.map((_, index) => index),
    type,
    isOrdered,
    capacity,
    timeoutMs,
    retry,
    cache,
    output: output.stream,
  } as const;
  builder.pushBehind(node, [arriving]);
}

/** `lookup: ./file.ts#export`, which has no options. */
function checkCode(step: LookupStepSpec, builder: GraphBuilder): CodeReference | null {
  if (step.with.node !== null) {
    const problem = 'a lookup by code of yours has no `with`: the code has what it needs';
    builder.problems.add('MR-JOB-CODE', step.with.range, { problem }, { expected: 'no `with`' });
  }
  return fileCode(step.connector, builder)?.reference ?? null;
}

function codeSpec(step: LookupStepSpec, keys: readonly Expression[], fields: readonly Field[]): LookupSpec {
  const nothing = { connector: 'code', options: {}, format: null };
  return { stepId: step.id, ...nothing, keys: keySchema(step, keys), schema: rowSchema(fields) };
}

function keySchema(step: LookupStepSpec, keys: readonly Expression[]): RowSchema {
  return rowSchema(keys.map(({ type }, index) => ({ name: step.keys[index]?.name ?? '', type })));
}

/** Null where one of them is wrong. */
function checkKeys(step: LookupStepSpec, input: StepStream, builder: GraphBuilder): readonly Expression[] | null {
  const keys = step.keys.map(({ name, text }) => {
    const expression = checkExpression(text, input, builder.problems);
    if (expression === null || mentions(text.text, input.doubtful)) return null;
    if (isKeyType(expression.type)) return expression;
    builder.problems.add('MR-JOB-KEY-TYPE', text.range, { name, type: formatType(expression.type) });
    return null;
  });
  return keys.every((key) => key !== null) ? keys : null;
}

/** What is found stands beside the fields of the row. */
function checkNames(step: LookupStepSpec, input: StepStream, builder: GraphBuilder): void {
  const names = new Set(input.stream.schema.fields.map(({ name }) => name));
  for (const { name, nameRange } of step.fields) {
    if (!names.has(name)) continue;
    builder.problems.add('MR-JOB-DUPLICATE-FIELD', nameRange, { name, other: 'the rows have it' }, {
      expected: 'another name, or a `select` in front that renames the field of the rows',
    });
  }
}

/** `fields` null: not known, so that only the connector and its options can be checked. */
function checkSpec(
  step: LookupStepSpec,
  keys: readonly Expression[],
  fields: readonly Field[] | null,
  builder: GraphBuilder,
): LookupSpec | null {
  const { catalog, problems } = builder;
  const connector = findLookup(step, builder);
  const checked = connector === null ? null : checkWith(step.with, connector, catalog, problems);
  if (connector === null || checked === null || fields === null) return null;
  const spec: LookupSpec = Object.freeze({
    stepId: step.id,
    connector: connector.name,
    options: checked.options,
    format: checked.format,
    keys: keySchema(step, keys),
    schema: rowSchema(fields),
  });
  const found: OptionProblem[] = [...connector.check(spec)];
  if (checked.definition !== null && checked.format !== null) {
    found.push(...checked.definition.check(spec.schema, checked.format.options, 'decode'));
  }
  reportChecks(found, step.with, tableOf(connector, checked.definition, catalog), problems);
  return spec;
}

function findLookup({ connector: name }: LookupStepSpec, { catalog, problems }: GraphBuilder): LookupConnector | null {
  const known = catalog.lookups?.get(name.text);
  if (known !== undefined) return known;
  const names = [...(catalog.lookups?.keys() ?? [])];
  problems.add('MR-JOB-UNKNOWN-CONNECTOR', name.range, { kind: 'lookup', name: name.hideVariables(name.text) }, {
    expected: names.length === 0 ? 'a build with such connectors' : `one of ${names.join(', ')}`,
    suggestion: nearestName(name.text, names),
  });
  return null;
}
