/**
 * Asks Flink SQL for the answers that src/expr is compared with, and stores them: `node scripts/flink-answers.ts`.
 * Needs Java and Maven. Run it again after a change of src/expr/flink-answers/cases.ts; it takes some minutes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { flinkAnswers } from '../bench/flink/run.ts';
import { flinkQuestions } from '../src/expr/flink-answers/flink-sql.ts';

const folder = join(import.meta.dirname, '../src/expr/flink-answers');
const { view, queries } = flinkQuestions();
// A NULL that Flink's types deny becomes no row instead of an error.
const configuration = { 'table.exec.sink.not-null-enforcer': 'DROP' };
const progress = (line: string) => process.stderr.write(`${line}\n`);
const result = await flinkAnswers({ ddl: [view], configuration, queries }, { progress });

const answers = result.answers.map(({ id: expression, sql, ...answer }) =>
  'error' in answer
    ? { expression, sql, error: answer.error }
    : { expression, sql, type: answer.columns[0]?.type ?? '', value: answer.rows[0]?.[0] ?? null },
);
const lines = answers.map((answer) => `    ${JSON.stringify(answer)}`).join(',\n');
const head = `  "flinkVersion": ${JSON.stringify(result.flinkVersion)},\n  "view": ${JSON.stringify(view)},`;
writeFileSync(join(folder, 'answers.json'), `{\n${head}\n  "answers": [\n${lines}\n  ]\n}\n`);
progress(`${String(answers.length)} answers stored`);
