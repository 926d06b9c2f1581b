import { nearestName } from '../../core/index.ts';
import type {
  ChangelogMode,
  CheckpointSettings,
  ConnectorCatalog,
  OptionProblem,
  SinkConnector,
  SinkSpec,
} from '../../core/index.ts';
import { entryOf } from '../spec/document.ts';
import type { SinkStepSpec } from '../spec/job-spec.ts';
import type { ProblemList } from '../spec/problem.ts';
import { checkWith, reportChecks, tableOf } from './check-with.ts';
import type { RowStream } from './logical-graph.ts';
import type { StepStream } from './step-stream.ts';

/** Null where something is wrong, or where what reaches the sink is not known. */
export function checkSink(
  step: SinkStepSpec,
  input: StepStream | null,
  catalog: ConnectorCatalog,
  checkpoint: CheckpointSettings | null,
  problems: ProblemList,
): SinkSpec | null {
  const connector = findSink(step, catalog, problems);
  const checked = connector === null ? null : checkWith(step.with, connector, catalog, problems);
  if (connector === null || checked === null) return null;
  if (connector.isTransactional?.(checked.options) === true) checkCommits(step, checkpoint, problems);
  if (input === null || input.doubtful.size > 0) return null;
  const { stream } = input;
  const changelog = acceptedMode(step, connector, checked.options, stream, problems);
  if (changelog === null) return null;
  const spec: SinkSpec = Object.freeze({
    stepId: step.id,
    connector: connector.name,
    options: checked.options,
    format: checked.format,
    input: stream.schema,
    changelog,
    uniqueKey: changelog === 'append' ? [] : (stream.uniqueKeys[0] ?? []),
  });
  const table = tableOf(connector, checked.definition, catalog);
  const found: OptionProblem[] = [...connector.check(spec)];
  if (checked.definition !== null && checked.format !== null) {
    found.push(...checked.definition.check(spec.input, checked.format.options, 'encode'));
  }
  reportChecks(found, step.with, table, problems);
  return spec;
}

/** Transactions end with checkpoints: without them nothing that is written would ever become visible. */
function checkCommits(step: SinkStepSpec, checkpoint: CheckpointSettings | null, problems: ProblemList): void {
  if (checkpoint?.mode === 'exactly-once') return;
  const entry = step.with.node === null ? undefined : entryOf(step.with.node, 'delivery');
  const reason = checkpoint === null ? 'the job takes none' : `those of the job are ${checkpoint.mode}`;
  const problem = `\`${step.id}\` is to write exactly once, which takes checkpoints of that mode, and ${reason}`;
  problems.add('MR-JOB-CHECKPOINT', entry?.value.range ?? step.connector.range, { problem }, {
    expected: checkpoint === null ? '`checkpoint: {interval: 10s}` beside `steps`' : '`mode: exactly-once`',
  });
}

function findSink(step: SinkStepSpec, catalog: ConnectorCatalog, problems: ProblemList): SinkConnector | null {
  const name = step.connector;
  const known = catalog.sinks.get(name.text);
  if (known !== undefined) return known;
  const names = [...catalog.sinks.keys()];
  const shown = name.hideVariables(name.text);
  const isSource = catalog.sources.has(name.text);
  problems.add('MR-JOB-UNKNOWN-CONNECTOR', name.range, { kind: 'sink', name: shown }, {
    expected: `one of ${names.join(', ')}${isSource ? ` (\`${shown}\` is a source)` : ''}`,
    suggestion: nearestName(name.text, names),
  });
  return null;
}

/** How the sink takes the rows; null where it cannot. */
function acceptedMode(
  step: SinkStepSpec,
  connector: SinkConnector,
  options: SinkSpec['options'],
  stream: RowStream,
  problems: ProblemList,
): ChangelogMode | null {
  const accepted = connector.acceptedModes(options);
  if (accepted.includes(stream.changelog)) return stream.changelog;
  const [uniqueKey] = stream.uniqueKeys;
  // The newest row of a key also is what is left once the older ones are taken back.
  if (stream.changelog === 'retract' && uniqueKey !== undefined && accepted.includes('upsert')) return 'upsert';
  const key = (uniqueKey ?? []).map((index) => stream.schema.fields[index]?.name ?? '').join(', ');
  const rows = describeRows(stream, key);
  const problem = `\`${step.id}\` is to write ${rows}, and connector \`${connector.name}\` as configured here cannot`;
  problems.add('MR-JOB-CHANGELOG', step.connector.range, { problem }, {
    expected: keyHint(connector, stream, key, accepted.join(', ')),
  });
  return null;
}

function describeRows({ changelog }: RowStream, key: string): string {
  switch (changelog) {
    case 'append':
      return 'rows that are only added';
    case 'upsert':
      return `rows that replace the earlier row of their key (${key === '' ? 'there is one row' : key})`;
    case 'retract':
      return 'rows of which some are taken back again';
  }
}

function keyHint(connector: SinkConnector, stream: RowStream, key: string, accepted: string): string {
  if (stream.changelog !== 'append' && key !== '' && Object.hasOwn(connector.options, 'key')) {
    return `\`key: [${key}]\` under \`with\`, so that the newest row per key wins`;
  }
  return accepted === '' ? 'another connector' : `a stream of the mode ${accepted}`;
}
