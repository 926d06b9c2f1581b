/** Pieces of the generated pages. */

/** The first line of every generated page. */
const GENERATED = '<!-- Made by `npm run docs` from the tables in the code. Do not edit. -->';

/** A cell's text: a bar would end the cell, a line break the row. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** Text as it stands, in code style. */
export function code(text: string): string {
  if (text === '') return '';
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

export function page(title: string, introduction: string, sections: readonly string[]): string {
  return `${[GENERATED, `# ${title}`, introduction, ...sections].join('\n\n')}\n`;
}

export function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
