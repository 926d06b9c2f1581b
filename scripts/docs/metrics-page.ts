import { counterNames } from '../../src/core/index.ts';
import { code, page, sentence, table } from './markdown.ts';

export function metricsPage(): string {
  const rows = Object.values(counterNames).map(({ name, doc }) => [code(name), sentence(doc)]);
  const introduction =
    `What every step counts, per subtask; ${code('millrace run --json')} prints the totals. Names are Flink's where ` +
    'it has one.';
  return page('Metrics', introduction, [table(['metric', 'what it counts'], rows)]);
}
