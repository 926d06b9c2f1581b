import { nearestName, parseOptions } from '../../core/index.ts';
import type { RestartStrategy } from '../job/job-graph.ts';
import { restartOptions, restartStrategies } from '../options.ts';
import type { RestartStrategyName } from '../options.ts';
import { entryOf } from './document.ts';
import type { DocumentNode, MapEntry, MapNode } from './document.ts';
import { asText, requireKey, shorten } from './map-reader.ts';
import { blockOf, readOptions, reportOption } from './option-block.ts';
import type { ProblemList } from './problem.ts';

/**
 * `restart: NAME` or `restart: {strategy: NAME, …}`. Without it, as in Flink: a job with checkpoints is started again
 * and again, later and later; one without fails, since it would begin anew.
 */
export function readRestart(
  entry: MapEntry | undefined,
  hasCheckpoints: boolean,
  problems: ProblemList,
): RestartStrategy {
  const byDefault = strategyOf(hasCheckpoints ? 'exponential-delay' : 'none', null, problems);
  if (entry === undefined) return byDefault;
  const block = blockOf(entry, 'strategy');
  const node: DocumentNode | undefined = block === null ? entry.value : entryOf(block, 'strategy')?.value;
  if (block !== null) requireKey(block, entryOf(block, 'strategy'), 'strategy', '`restart`', problems);
  const expected = `one of ${restartStrategies.join(', ')}`;
  const text = node === undefined ? null : asText(node, '`restart`', expected, problems);
  if (text === null) return byDefault;
  const name = restartStrategies.find((each) => each === text.text);
  if (name !== undefined && block !== null) return strategyOf(name, { block, entry }, problems);
  const given = text.hideVariables(shorten(text.text));
  problems.add('MR-JOB-BAD-VALUE', text.range, { what: '`restart`', problem: `has no strategy \`${given}\`` }, {
    expected,
    suggestion: nearestName(text.text, restartStrategies),
  });
  return byDefault;
}

interface Given {
  readonly block: MapNode;
  readonly entry: MapEntry;
}

/** The strategy with the settings that were given, and its defaults where they are wrong. */
function strategyOf(name: RestartStrategyName, given: Given | null, problems: ProblemList): RestartStrategy {
  const read = <Table extends (typeof restartOptions)[RestartStrategyName]>(table: Table) => {
    const block = given === null ? null : { node: given.block, range: given.entry.keyRange };
    const values = block === null ? null : readOptions(block, table, problems);
    return values ?? parseOptions(table, { strategy: name }).values;
  };
  switch (name) {
    case 'none':
      read(restartOptions.none);
      return { kind: 'none' };
    case 'fixed-delay': {
      const { attempts, delay } = read(restartOptions['fixed-delay']);
      return { kind: 'fixed-delay', attempts, delayMs: delay };
    }
    case 'exponential-delay': {
      const { initial, max, multiplier, jitter, reset } = read(restartOptions['exponential-delay']);
      if (max < initial && given !== null) maxBelowInitial(given, problems);
      return { kind: 'exponential-delay', initialMs: initial, maxMs: max, multiplier, jitter, resetMs: reset };
    }
    case 'failure-rate': {
      const { failures, interval, delay } = read(restartOptions['failure-rate']);
      return { kind: 'failure-rate', failures, intervalMs: interval, delayMs: delay };
    }
  }
}

function maxBelowInitial({ block, entry }: Given, problems: ProblemList): void {
  const path = entryOf(block, 'max') === undefined ? ['initial'] : ['max'];
  const problem = { path, what: 'invalid', message: '`max` must be at least `initial`', suggestion: null } as const;
  reportOption(problem, { node: block, range: entry.keyRange }, restartOptions['exponential-delay'], problems);
}
