import { Command } from 'commander';

import { nearestName, type ErrorRow } from '../../core/index.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { cliErrors } from '../errors.ts';
import { textTable } from '../text-table.ts';

interface HelpOptions {
  readonly json?: true;
}

export function helpCommand(context: CommandContext): Command {
  return new Command('help')
    .description('prints the help of a command, or what an error code means')
    .argument('[topic]', 'a command, or `errors`')
    .argument('[code]', 'an error code, such as MR-CLI-USAGE; all of them where it is left out')
    .option('--json', 'prints one JSON document (errors only)')
    .action(async (topic: string | undefined, code: string | undefined, options: HelpOptions, command: Command) => {
      const program = command.parent ?? command;
      if (topic === 'errors') await helpErrors(context, code, options.json === true);
      else if (topic?.toUpperCase().startsWith('MR-') === true) await helpErrors(context, topic, options.json === true);
      else helpOfCommand(program, topic);
    });
}

function helpOfCommand(program: Command, name: string | undefined): void {
  if (name === undefined) {
    program.outputHelp();
    return;
  }
  const names = program.commands.map((command) => command.name());
  const found = program.commands.find((command) => command.name() === name);
  if (found === undefined) {
    const near = nearestName(name, [...names, 'errors']);
    const hint = near === null ? `; there are: ${names.join(', ')}, errors` : `; did you mean \`${near}\`?`;
    throw cliErrors.create('MR-CLI-USAGE', { problem: `there is no help about \`${name}\`${hint}` });
  }
  found.outputHelp();
}

async function helpErrors(context: CommandContext, given: string | undefined, json: boolean): Promise<void> {
  const { errorRows } = await import('../error-tables.ts');
  if (given === undefined) {
    const all = [...errorRows].map(([code, row]) => ({ code, ...row }));
    if (json) await printJson(context, all);
    else await printResult(context, textTable(all.map(({ code, message }) => [code, message])).join('\n'));
    return;
  }
  const code = given.toUpperCase();
  const row = errorRows.get(code);
  if (row === undefined) {
    const near = nearestName(code, [...errorRows.keys()]);
    const hint = near === null ? ': `millrace help errors` lists them' : `; did you mean ${near}?`;
    throw cliErrors.create('MR-CLI-UNKNOWN-CODE', { code, hint });
  }
  if (json) await printJson(context, { code, ...row });
  else await printResult(context, describeRow(code, row));
}

const WHO_ACTS: Readonly<Record<ErrorRow['domain'], string>> = {
  user: 'whoever wrote the job or its data',
  external: 'whoever runs what the job talks to',
  internal: 'the makers of Millrace: please report it',
};

function describeRow(code: string, row: ErrorRow): string {
  const facts = textTable([
    ['message', row.message],
    ['who acts', WHO_ACTS[row.domain]],
    ['it ends', row.scope === 'process' ? 'the command' : `the ${row.scope}`],
    ['retried', row.retry === 'never' ? 'no' : 'yes, with growing pauses'],
  ]);
  return [code, '', ...facts, '', row.help].join('\n');
}
