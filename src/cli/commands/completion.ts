import { Argument, Command } from 'commander';

import { completionScript, SHELLS, type Shell } from '../completion-script.ts';
import { printResult, type CommandContext } from '../command-context.ts';

export function completionCommand(context: CommandContext): Command {
  return new Command('completion')
    .description('prints the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      [
        '',
        'bash:  source <(millrace completion bash)',
        'zsh:   source <(millrace completion zsh)',
        'fish:  millrace completion fish | source',
      ].join('\n'),
    )
    .action(async (shell: Shell, _options, command: Command) => {
      await printResult(context, completionScript(shell, command.parent ?? command));
    });
}
