/** Settings files: mappings of names, nested or with dots, read with the means of job files. */
import { parseOptions } from '../../core/index.ts';
import { jobFileLimits } from '../options.ts';
import { isEmpty } from './document.ts';
import type { DocumentNode, MapNode } from './document.ts';
import type { Variables } from './interpolate.ts';
import { ProblemList } from './problem.ts';
import type { JobProblem } from './problem.ts';
import { readDocument } from './read-document.ts';
import { SourceText } from './source-text.ts';

export interface Setting {
  /** `rest.port`, whether the file nests it or spells it with a dot. */
  readonly key: string;
  /** As the file spells it; null where it says nothing. */
  readonly value: string | readonly string[] | null;
  readonly line: number;
  readonly column: number;
}

export interface SettingsFile {
  /** Complete only where `problems` is empty. */
  readonly settings: readonly Setting[];
  readonly problems: readonly JobProblem[];
}

export interface ReadSettingsOptions {
  /** For messages only. */
  readonly fileName: string;
  readonly variables: Variables;
}

/** Every problem is reported; none is thrown. A file that holds nothing has no settings. */
export function readSettings(text: string, { fileName, variables }: ReadSettingsOptions): SettingsFile {
  const limits = parseOptions(jobFileLimits, {}).values;
  const source = new SourceText(text);
  const problems = new ProblemList(fileName, source, limits['job-file.max-problems']);
  const root = readDocument(problems, variables, limits);
  const settings: Setting[] = [];
  if (root?.kind === 'map') collect(root, '', source, settings, problems);
  else if (root !== null && !isEmpty(root)) {
    problems.add('MR-JOB-YAML', root.range, { problem: 'settings are a mapping of names' });
  }
  const told = problems.sorted().filter(({ code }) => code !== 'MR-JOB-EMPTY');
  return { settings, problems: told.map(withoutSet) };
}

/** Variables of settings come from the environment alone: no command line sets them. */
function withoutSet(problem: JobProblem): JobProblem {
  const expected = problem.expected?.replace(/^`--set [^`]*`, an /, 'an ').replace('variable, or', 'variable or');
  return expected === undefined ? problem : Object.freeze({ ...problem, expected });
}

function collect(map: MapNode, prefix: string, source: SourceText, into: Setting[], problems: ProblemList): void {
  for (const { key, keyRange, value } of map.entries) {
    const name = `${prefix}${key}`;
    if (value.kind === 'map') {
      collect(value, `${name}.`, source, into, problems);
      continue;
    }
    const { line, column } = source.place(keyRange);
    const first = into.find((each) => each.key === name);
    if (first !== undefined) problems.add('MR-JOB-DUPLICATE-KEY', keyRange, { key: name, line: first.line });
    else into.push({ key: name, value: plain(value), line, column });
  }
}

function plain(node: DocumentNode): string | readonly string[] | null {
  if (node.kind === 'list') return node.items.flatMap((item) => (item.kind === 'scalar' ? [item.text.text] : []));
  return node.kind === 'scalar' && !isEmpty(node) ? node.text.text : null;
}
