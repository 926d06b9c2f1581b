import { signatureOf } from '../../src/cli/index.ts';
import { functionRows, type FunctionRow } from '../../src/expr/index.ts';
import { code, page, sentence, table } from './markdown.ts';

export function functionsPage(): string {
  const categories = [...new Set(functionRows.map(({ category }) => category))];
  const sections = categories.map((category) => {
    const rows = functionRows.filter((row) => row.category === category).map(functionLine);
    const title = category.charAt(0).toUpperCase() + category.slice(1);
    return `## ${title}\n\n${table(['function', 'types', 'what it gives', 'examples'], rows)}`;
  });
  const introduction =
    `What SQL expressions in job files can use. A NULL argument makes most functions NULL. ` +
    `${code('millrace list functions NAME')} prints one of them.`;
  return page('Functions', introduction, sections);
}

function functionLine(row: FunctionRow): string[] {
  const name = code(row.syntax ?? row.name);
  const aliases = row.aliases.length === 0 ? '' : `, ${row.aliases.map(code).join(', ')}`;
  const examples = row.examples.map(({ sql, result }) => `${code(sql)} → ${code(result)}`).join('<br>');
  const signatures = row.overloads.map((each) => code(signatureOf(row, each))).join('<br>');
  return [name + aliases, signatures, sentence(row.doc), examples];
}
