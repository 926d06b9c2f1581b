/** Runs a source in tests as the engine does: enumerator, splits dealt to readers, polled until they are finished. */
import { parseOptions, rowSchema, rowsOf } from '../core/index.ts';
import type {
  FormatDefinition,
  OptionTable,
  SourceConnector,
  SourceReader,
  SourceSpec,
  Value,
} from '../core/index.ts';
import { builtInFormats } from './formats/index.ts';
import type { TestContext } from './test-context.ts';

export interface SourceStep {
  readonly with: Readonly<Record<string, unknown>>;
  readonly schema?: SourceSpec['schema']['fields'];
  readonly metadata?: SourceSpec['metadata'];
  readonly filters?: SourceSpec['filters'];
}

/** The spec that lint makes of a step; throws the problems that lint would report. */
export function sourceSpec(source: SourceConnector, step: SourceStep): SourceSpec {
  const { format: formatName, ...given } = step.with;
  const format = builtInFormats.find(({ name }) => name === formatName);
  const own = Object.fromEntries(Object.entries(given).filter(([key]) => !Object.hasOwn(format?.options ?? {}, key)));
  const others = Object.fromEntries(Object.entries(given).filter(([key]) => Object.hasOwn(format?.options ?? {}, key)));
  const parsed = parseOptions(source.options, own);
  const parsedFormat = parseOptions((format?.options ?? {}) as OptionTable, others);
  const schema = rowSchema(
    step.schema ?? format?.fixedSchema(parsedFormat.values)?.fields ?? source.fixedSchema(parsed.values)?.fields ?? [],
  );
  const metadata = step.metadata ?? [];
  const spec: SourceSpec = {
    stepId: 'in',
    connector: source.name,
    options: parsed.values,
    format: format === undefined ? null : { name: format.name, options: parsedFormat.values },
    schema,
    metadata,
    projection: [...schema.fields, ...metadata].map((_, index) => index),
    filters: step.filters ?? [],
    errors: { kind: 'fail' },
  };
  const problems = [
    ...parsed.problems,
    ...parsedFormat.problems,
    ...checkFormat(format, spec),
    ...source.check(spec),
  ].map(({ message }) => message);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return spec;
}

function checkFormat(format: FormatDefinition | undefined, spec: SourceSpec) {
  return format?.check(spec.schema, spec.format?.options ?? {}, 'decode') ?? [];
}

/** Opens a reader with all splits that there are. */
export async function openReader(
  source: SourceConnector,
  spec: SourceSpec,
  context: TestContext,
): Promise<SourceReader> {
  const enumerator = source.createEnumerator(spec, context);
  await enumerator.open();
  const reader = source.createReader(spec);
  await reader.open(context);
  reader.addSplits(await enumerator.discover());
  if (enumerator.discoveryIntervalMs === null) reader.noMoreSplits();
  return reader;
}

/** Polls until the reader is finished, or has given `limit` rows. */
export async function readRows(reader: SourceReader, limit = Infinity): Promise<Value[][]> {
  const rows: Value[][] = [];
  while (!reader.isFinished && rows.length < limit) {
    const batch = reader.poll();
    if (batch === null) await reader.available();
    else rows.push(...rowsOf(batch));
  }
  return rows;
}

export async function readStep(source: SourceConnector, step: SourceStep, context: TestContext): Promise<Value[][]> {
  const reader = await openReader(source, sourceSpec(source, step), context);
  try {
    return await readRows(reader);
  } finally {
    await reader.close();
  }
}

