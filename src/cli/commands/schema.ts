import { Command } from 'commander';

import { printJson, type CommandContext } from '../command-context.ts';

export function schemaCommand(context: CommandContext): Command {
  return new Command('schema')
    .description('prints the JSON Schema of job files, for editors')
    .addHelpText(
      'after',
      [
        '',
        'Save it (millrace schema > millrace.schema.json) and begin job files with',
        '# yaml-language-server: $schema=millrace.schema.json',
      ].join('\n'),
    )
    .action(async () => {
      const [{ jobSchema }, { catalog }] = await Promise.all([import('../../graph/index.ts'), import('../catalog.ts')]);
      await printJson(context, jobSchema(catalog));
    });
}
