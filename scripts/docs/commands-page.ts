import { describeProgram, type CommandDescription } from '../../src/cli/index.ts';
import { code, page, sentence, table } from './markdown.ts';

export function commandsPage(): string {
  return page(
    'Command line',
    `${code('millrace COMMAND [options]')}. ${code('millrace help COMMAND')} prints what stands here.`,
    describeProgram().map(section),
  );
}

function section({ name, usage, doc, args, options }: CommandDescription): string {
  const parts = [`## ${name}`, sentence(doc), ['```', `millrace ${usage}`, '```'].join('\n')];
  if (args.length > 0) {
    const rows = args.map((each) => [code(each.name), each.doc, each.choices.map(code).join(', ')]);
    parts.push(table(['argument', 'what it is', 'one of'], rows));
  }
  const rows = options.map((each) => [code(each.flags), each.doc]);
  if (rows.length > 0) parts.push(table(['option', 'what it does'], rows));
  return parts.join('\n\n');
}
