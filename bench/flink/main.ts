/*
 * node bench/flink/main.ts query '{"query":"q1","brokers":"…","inputTopic":"…","outputTopic":"…"}'
 * node bench/flink/main.ts answers INPUT.json OUTPUT.json
 */
import { readFileSync, writeFileSync } from 'node:fs';

import type { Progress } from '../../scripts/services/index.ts';
import { flinkAnswers, runFlinkQuery, type FlinkAnswersInput, type FlinkQueryOptions } from './run.ts';

const progress: Progress = (line) => process.stderr.write(`${line}\n`);
const [command, first, second] = process.argv.slice(2);
if (command === 'query' && first !== undefined) {
  const options = JSON.parse(first) as FlinkQueryOptions;
  process.stdout.write(`${JSON.stringify(await runFlinkQuery({ ...options, progress }))}\n`);
} else if (command === 'answers' && first !== undefined && second !== undefined) {
  const input = JSON.parse(readFileSync(first, 'utf8')) as FlinkAnswersInput;
  writeFileSync(second, `${JSON.stringify(await flinkAnswers(input, { progress }), null, 2)}\n`);
} else {
  process.stderr.write("usage: node bench/flink/main.ts query '{…}' | answers INPUT.json OUTPUT.json\n");
  process.exitCode = 2;
}
