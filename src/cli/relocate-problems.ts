import { fileURLToPath, pathToFileURL } from 'node:url';

import type { JobDefinition } from '../api/index.ts';
import type { JobProblem, RenderedJobFile } from '../graph/index.ts';

type Site = JobDefinition['site'];

export interface RenderedModule {
  readonly definition: JobDefinition;
  readonly rendered: RenderedJobFile;
  /** The module's `file:` URL, and its text. */
  readonly url: string;
  readonly source: string;
}

/**
 * Problems were found in the job file that a module amounts to; the author wants them where the module says it: at the
 * call that made the step, or within it, where its text holds what is wrong.
 */
export function relocateProblems(problems: readonly JobProblem[], module: RenderedModule): readonly JobProblem[] {
  const lines = module.rendered.text.split('\n');
  const sourceLines = module.source.split('\n');
  return problems.map((problem) => {
    const index = stepAt(problem.line, module);
    const site = siteOf(problem.line, module);
    const step = module.definition.document.steps[index]?.id;
    const told = problem.message.replace(LINE, (_, line: string) => `line ${siteOf(Number(line), module)?.line ?? 1}`);
    const message = step === undefined || told.includes(step) ? told : `step \`${step}\`: ${told}`;
    if (site === null) return Object.freeze({ ...problem, line: 1, column: 1, endColumn: 1, message });
    const words = lines[problem.line - 1]?.slice(problem.column - 1, problem.endColumn - 1) ?? '';
    const isHere = urlOf(site.file) === module.url;
    const place = (isHere ? placeOf(words, site, nextSite(module, index), sourceLines) : null) ?? callPlace(site);
    const fileName = isHere ? problem.fileName : fileURLToPath(urlOf(site.file));
    return Object.freeze({ ...problem, ...place, fileName, message });
  });
}

/** Some messages name another line of the file. */
const LINE = /\bline (\d+)\b/;

/** Which step stands on a line of the rendered file; -1 for what is in front of all steps. */
function stepAt(line: number, { rendered }: RenderedModule): number {
  return rendered.stepLines.findLastIndex((first) => first <= line);
}

function siteOf(line: number, module: RenderedModule): Site {
  const index = stepAt(line, module);
  return index < 0 ? module.definition.site : (module.definition.stepSites[index] ?? null);
}

function urlOf(file: string): string {
  return file.startsWith('file:') ? file : pathToFileURL(file).href;
}

/** Where the next step of the module is made: what belongs to this one ends there. */
function nextSite({ definition, url }: RenderedModule, index: number): Site {
  return definition.stepSites.slice(index + 1).find((site) => site !== null && urlOf(site.file) === url) ?? null;
}

interface Place {
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
}

function callPlace({ line, column }: NonNullable<Site>): Place {
  return { line, column, endColumn: column + 1 };
}

/** The first place of these words in the call, as words of their own. */
function placeOf(words: string, from: NonNullable<Site>, until: Site, lines: readonly string[]): Place | null {
  const text = words.replace(/^"|"$/g, '');
  if (text === '' || text.length > MAX_WORDS) return null;
  const pattern = new RegExp(`(?<![\\w$])${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w$])`);
  const isBefore = until !== null && (until.line > from.line || until.column > from.column);
  const last = isBefore ? until.line : Math.min(lines.length, from.line + MAX_LINES);
  for (let line = from.line; line <= last; line++) {
    const skipped = line === from.line ? from.column - 1 : 0;
    const end = isBefore && line === until.line ? until.column - 1 : undefined;
    const found = (lines[line - 1] ?? '').slice(skipped, end).search(pattern);
    if (found >= 0) return { line, column: skipped + found + 1, endColumn: skipped + found + 1 + text.length };
  }
  return null;
}

const MAX_WORDS = 1000;
/** How far the last call of a module is searched. */
const MAX_LINES = 50;
