import { Command, Option } from 'commander';

import type { JobGraph } from '../../graph/index.ts';
import { printJson, tell, type CommandContext } from '../command-context.ts';
import { ALLOW_DROPPED_STATE, DATA_FOLDER, DATA_FOLDER_OPTION } from '../data-folder.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { addJobFileOptions, type JobFileOptions } from '../job-file.ts';
import { addParallelismOption } from '../parallelism-option.ts';
import { liveDisplay, noDisplay, plainDisplay, type ProgressDisplay } from '../progress/display.ts';
import { totalsByStep } from '../progress/job-progress.ts';
import { describeError, errorDocument } from '../report-error.ts';
import type { RecoveryRequest } from '../run-job.ts';
import { startMode, type StartFlags } from '../start-flags.ts';

interface RunOptions extends JobFileOptions, StartFlags {
  readonly parallelism?: number;
  readonly json?: true;
  readonly quiet?: true;
  readonly stats?: string;
  readonly allowDroppedState?: true;
  readonly dataDir?: string;
}

export function runCommand(context: CommandContext): Command {
  const command = new Command('run')
    .description('runs a job in this process until it ends, fails or is interrupted')
    .argument('<file>', 'job file, or a module (.ts, .js) that exports a job; - is standard input');
  addParallelismOption(command);
  return addJobFileOptions(command)
    .option('-q, --quiet', 'shows no progress')
    .option('--json', 'prints the result with the totals of every step as one JSON document, behind what sinks print')
    .addOption(
      new Option(
        '--fresh',
        'starts anew instead of from the last checkpoint; earlier checkpoints are dropped',
      ).conflicts('from'),
    )
    .option('--from <place>', 'starts from the checkpoint or savepoint at a path or URL; the job\'s own are dropped')
    .option(...ALLOW_DROPPED_STATE)
    .option(...DATA_FOLDER_OPTION)
    .option('--stats <file>', 'writes a JSON line with time, CPU, memory and records read each time they change')
    .addHelpText('after', MORE_HELP)
    .action(async (file: string, options: RunOptions) => {
      context.exitCode = await run(context, file, options);
    });
}

const MORE_HELP = `
A job with \`checkpoint:\` goes on from its last checkpoint when it is run again, however it ended, and says so; one
that has finished has nothing left to do.

Exit codes: 0 the job finished, or \`millrace stop\` has stopped it, 1 it failed, 2 the command line or the job file is
wrong, 130 interrupted.
The first Ctrl-C stops the job cleanly, the second at once.`;

async function run(context: CommandContext, path: string, options: RunOptions): Promise<number> {
  const { compileFile, refuse } = await import('../compile.ts');
  const file = await compileFile(context, path, options);
  const graph = file.compiled.jobGraph;
  if (graph === null) return refuse(context, file);
  const { runJob } = await import('../run-job.ts');
  const display = chooseDisplay(context, options, printsRows(graph));
  const { result, progress, wasStopped } = await runJob(context, {
    graph,
    display,
    statsFile: options.stats ?? null,
    recovery: recoveryOf(graph, options),
  });
  if (result.error !== null) tell(context, describeError(result.error));
  if (options.json === true) {
    await printJson(context, {
      job: graph.name,
      state: result.state,
      elapsedMs: Math.round(progress.elapsedMs),
      steps: totalsByStep(progress),
      error: result.error === null ? null : errorDocument(result.error),
    });
  }
  if (result.state === 'FAILED') return exitCodes.failed;
  return result.state === 'CANCELED' && !wasStopped ? exitCodes.interrupted : exitCodes.ok;
}

const NOTHING_TO_RESTORE = '--from is for jobs that take checkpoints: give the job a `checkpoint:`';

function recoveryOf(graph: JobGraph, options: RunOptions): RecoveryRequest | null {
  if (graph.checkpoint === null) {
    if (options.from !== undefined) throw cliErrors.create('MR-CLI-USAGE', { problem: NOTHING_TO_RESTORE });
    return null;
  }
  const { dataDir: dataFolder = DATA_FOLDER, allowDroppedState = false } = options;
  return { dataFolder, start: startMode(options), allowDroppedState };
}

function chooseDisplay(context: CommandContext, options: RunOptions, printsRows: boolean): ProgressDisplay {
  const { environment, ports } = context;
  if (options.quiet === true) return noDisplay;
  const write = (text: string): void => ports.streams.writeError(text);
  // Rows that are printed to the same window would be torn by a table that is drawn over.
  const isShared = printsRows && environment.output.isTerminal;
  return environment.errors.isTerminal && !isShared ? liveDisplay(environment.errors, write) : plainDisplay(write);
}

function printsRows(graph: JobGraph): boolean {
  const nodes = graph.vertices.flatMap(({ chain }) => chain);
  return nodes.some((node) => node.kind === 'sink' && node.spec.connector === 'print');
}
