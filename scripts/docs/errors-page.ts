import { errorRows } from '../../src/cli/index.ts';
import { code, page, table } from './markdown.ts';

const WHO_ACTS = { user: 'user', external: 'outside', internal: 'Millrace' } as const;

export function errorsPage(): string {
  const areas = new Map<string, string[]>();
  for (const [name, row] of errorRows) {
    const area = name.split('-').slice(0, 2).join('-');
    const facts = [
      ['who acts', WHO_ACTS[row.domain]],
      ['ends', row.scope === 'process' ? 'the command' : `the ${row.scope}`],
      ['retried', row.retry === 'never' ? 'no' : 'yes'],
    ];
    const section = `### ${name}\n\n> ${row.message.replaceAll('\n', ' ')}\n\n${row.help}\n\n${table(
      facts.map(([title]) => title ?? ''),
      [facts.map(([, value]) => value ?? '')],
    )}`;
    areas.set(area, [...(areas.get(area) ?? []), section]);
  }
  const introduction =
    `Every error that Millrace reports has a code; ${code('millrace help errors CODE')} prints what stands here. In ` +
    `the messages, ${code('{name}')} stands for what the error is about. *Who acts*: the user who wrote the job or ` +
    'its data, whoever runs what is outside, or the makers of Millrace (a bug: please report it).';
  return page('Errors', introduction, [...areas].flatMap(([area, sections]) => [`## ${area}`, ...sections]));
}
