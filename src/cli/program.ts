import { Command, CommanderError } from 'commander';

import type { CommandContext } from './command-context.ts';
import { cancelCommand } from './commands/cancel.ts';
import { clusterCommand } from './commands/cluster.ts';
import { completionCommand } from './commands/completion.ts';
import { createCommand } from './commands/create.ts';
import { datagenCommand } from './commands/datagen.ts';
import { dispatcherCommand } from './commands/dispatcher.ts';
import { drainCommand, undrainCommand } from './commands/drain.ts';
import { explainCommand } from './commands/explain.ts';
import { helpCommand } from './commands/help.ts';
import { lintCommand } from './commands/lint.ts';
import { listCommand } from './commands/list.ts';
import { planCommand } from './commands/plan.ts';
import { rebalanceCommand } from './commands/rebalance.ts';
import { rescaleCommand } from './commands/rescale.ts';
import { runCommand } from './commands/run.ts';
import { savepointCommand } from './commands/savepoint.ts';
import { schemaCommand } from './commands/schema.ts';
import { statusCommand } from './commands/status.ts';
import { stopCommand } from './commands/stop.ts';
import { submitCommand } from './commands/submit.ts';
import { taskmanagerCommand } from './commands/taskmanager.ts';
import { exitCodes } from './exit-codes.ts';
import { reportError } from './report-error.ts';

type MakeCommand = (context: CommandContext) => Command;

/** In the order of the help. */
const COMMANDS: readonly MakeCommand[] = [
  runCommand,
  lintCommand,
  explainCommand,
  planCommand,
  savepointCommand,
  stopCommand,
  submitCommand,
  statusCommand,
  cancelCommand,
  rescaleCommand,
  rebalanceCommand,
  drainCommand,
  undrainCommand,
  clusterCommand,
  dispatcherCommand,
  taskmanagerCommand,
  createCommand,
  schemaCommand,
  listCommand,
  datagenCommand,
  helpCommand,
  completionCommand,
];

/** The command line as data and behaviour. */
export function buildProgram(context: CommandContext): Command {
  const program = new Command('millrace')
    .description('Runs dataflow jobs written in YAML, against Kafka and others.')
    .version(context.version, '-V, --version', 'prints the version')
    .helpOption('-h, --help', 'prints this help')
    .helpCommand(false)
    .showHelpAfterError('(`millrace help` lists the commands, `millrace help COMMAND` its options)')
    .addHelpText('after', '\nStart with: millrace create job.yaml && millrace run job.yaml');
  for (const make of COMMANDS) program.addCommand(make(context));
  return program;
}

/** Runs a command line; resolves to the exit code of the process. */
export async function runCommandLine(context: CommandContext): Promise<number> {
  const program = buildProgram(context);
  const written: Promise<void>[] = [];
  configure(program, {
    writeOut: (text) => written.push(context.ports.streams.writeOutput(Buffer.from(text))),
    writeErr: (text) => context.ports.streams.writeError(text),
  });
  const exitCode = await parse(program, context);
  await Promise.all(written);
  return exitCode;
}

async function parse(program: Command, context: CommandContext): Promise<number> {
  if (context.environment.arguments.length === 0) {
    program.outputHelp({ error: true });
    return exitCodes.usage;
  }
  try {
    await program.parseAsync(context.environment.arguments, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    // The parser has told what is wrong already; help and version leave by the same door.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    return reportError(context, error);
  }
}

interface ParserOutput {
  writeOut(text: string): void;
  writeErr(text: string): void;
}

/** Subcommands do not inherit these from where they are added. */
function configure(command: Command, output: ParserOutput): void {
  command.exitOverride().configureOutput(output);
  for (const child of command.commands) configure(child, output);
}
