import { Command, Option } from 'commander';

import type { ClusterClient } from '../client/cluster-client.ts';
import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import { addJobFileOptions, type JobFileOptions } from '../job-file.ts';
import { addParallelismOption } from '../parallelism-option.ts';

interface ExplainOptions extends JobFileOptions, ClusterFlags {
  readonly parallelism?: number;
  readonly placement?: true;
  readonly json?: true;
}

export function explainCommand(context: CommandContext): Command {
  const command = new Command('explain')
    .description('shows how a job would run: its plan, its chains and what travels between them; or where it runs')
    .argument(
      '<file>',
      'job file, or a module (.ts, .js) that exports a job; - is standard input; with --placement also id or name of ' +
        'a job of a cluster',
    )
    .option('--json', 'prints the plan as one JSON document')
    .addOption(
      new Option(
        '--placement',
        'asks a cluster: where each task runs, or would, what is read from how far, and why',
      ).conflicts('parallelism'),
    );
  addParallelismOption(command);
  return addClusterOptions(addJobFileOptions(command))
    .addHelpText('after', MORE_HELP)
    .action(async (given: string, options: ExplainOptions) => {
      context.exitCode =
        options.placement === true
          ? await withCluster(context, options, (client) => explainPlacement(context, client, given, options))
          : await explainPlan(context, given, options);
    });
}

const MORE_HELP = `
--placement starts nothing. Localities, from near to far: PROCESS_LOCAL (within a TaskManager), NODE_LOCAL, RACK_LOCAL,
ANY (across racks); NO_PREF where one of the two does not say where it is. Only --placement asks a cluster.`;

async function explainPlan(context: CommandContext, path: string, options: ExplainOptions): Promise<number> {
  const [{ compileFile, refuse }, { explainJob, explainJobAsText }, { catalog }] = await Promise.all([
    import('../compile.ts'),
    import('../../graph/index.ts'),
    import('../catalog.ts'),
  ]);
  const file = await compileFile(context, path, options);
  const { jobGraph } = file.compiled;
  if (jobGraph === null) return refuse(context, file);
  if (options.json === true) await printJson(context, explainJob(jobGraph, catalog));
  else await printResult(context, explainJobAsText(jobGraph, catalog));
  return exitCodes.ok;
}

/** Names of jobs do not look like this. */
const FILE = /^-$|[/\\]|\.(ya?ml|[cm]?[jt]s)$/;

async function explainPlacement(
  context: CommandContext,
  client: ClusterClient,
  given: string,
  options: ExplainOptions,
): Promise<number> {
  const { describePlacement, placementOfFile, placementOfJob } = await import('../client/job-placement.ts');
  const show = async (placement: Awaited<ReturnType<typeof placementOfJob>>): Promise<number> => {
    if (options.json === true) await printJson(context, placement);
    else await printResult(context, describePlacement(placement));
    return exitCodes.ok;
  };
  if (!FILE.test(given)) {
    const { findJob } = await import('../client/cluster-jobs.ts');
    const { jid } = await findJob(client, given);
    return show(await placementOfJob(client, jid));
  }
  const { jobOfFile, tellRefusal } = await import('../client/job-of-file.ts');
  const job = await jobOfFile(context, given, options);
  if (typeof job === 'number') return job;
  try {
    return await show(await placementOfFile(client, job));
  } catch (error) {
    return await tellRefusal(context, { path: given, text: job.text, isJson: options.json === true }, error);
  }
}
