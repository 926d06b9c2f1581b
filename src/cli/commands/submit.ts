import { Command, Option } from 'commander';

import type { ClusterClient } from '../client/cluster-client.ts';
import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, tell, type CommandContext } from '../command-context.ts';
import { ALLOW_DROPPED_STATE } from '../data-folder.ts';
import { exitCodes } from '../exit-codes.ts';
import { addJobFileOptions, type JobFileOptions } from '../job-file.ts';
import { startMode, type StartFlags } from '../start-flags.ts';

interface SubmitOptions extends JobFileOptions, StartFlags, ClusterFlags {
  readonly allowDroppedState?: true;
  readonly clusterCode?: true;
  readonly wait?: true;
  readonly json?: true;
}

export function submitCommand(context: CommandContext): Command {
  const command = new Command('submit')
    .description('gives a job to a cluster, and prints its id')
    .argument('<file>', 'job file, or a module (.ts, .js) that exports a job; - is standard input');
  addJobFileOptions(command)
    .addOption(
      new Option('--fresh', 'starts anew instead of from the last checkpoint of a job of this name').conflicts('from'),
    )
    .option('--from <place>', 'starts from the checkpoint or savepoint at a path or URL that the cluster reaches')
    .option(...ALLOW_DROPPED_STATE)
    .option('--cluster-code', 'takes files that steps name from the folder of the cluster instead of sending them')
    .option('--wait', 'waits until the job has ended')
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command)
    .addHelpText('after', MORE_HELP)
    .action(async (file: string, options: SubmitOptions) => {
      context.exitCode = await withCluster(context, options, (client) => submit(context, client, file, options));
    });
}

const MORE_HELP = `
The job goes on when the command has ended, and when the Dispatcher that took it has. Variables of the file that --set
does not give come from the environment of this command, not from that of the cluster. TypeScript that the job names
goes along, with what it imports by relative paths; the cluster keeps it until the job has ended.

Exit codes: 0 the cluster has the job (with --wait: it has finished, or somebody has stopped it), 1 it could not be
submitted or has failed, 2 the command line or the job file is wrong.`;

async function submit(
  context: CommandContext,
  client: ClusterClient,
  path: string,
  options: SubmitOptions,
): Promise<number> {
  const [{ submitJob }, { jobOfFile, tellRefusal }] = await Promise.all([
    import('../client/submit-job.ts'),
    import('../client/job-of-file.ts'),
  ]);
  const job = await jobOfFile(context, path, options);
  if (typeof job === 'number') return job;
  const { allowDroppedState = false } = options;
  try {
    const jobId = await submitJob(client, { ...job, start: startMode(options), allowDroppedState });
    return await report(context, client, jobId, options);
  } catch (error) {
    return await tellRefusal(context, { path, text: job.text, isJson: options.json === true }, error);
  }
}

async function report(
  context: CommandContext,
  client: ClusterClient,
  jobId: string,
  { wait, json }: SubmitOptions,
): Promise<number> {
  if (wait !== true) {
    if (json === true) await printJson(context, { jobId });
    else await printResult(context, jobId);
    return exitCodes.ok;
  }
  const { waitForEnd } = await import('../client/cluster-jobs.ts');
  const { lastFailureOf } = await import('../client/job-status.ts');
  if (json !== true) await printResult(context, jobId);
  const state = await waitForEnd(client, jobId);
  const failure = state === 'FAILED' ? await lastFailureOf(client, jobId) : null;
  if (json === true) await printJson(context, { jobId, state, failure });
  else tell(context, `the job has ended: ${state}${failure === null ? '' : `\n${failure}`}`);
  return state === 'FAILED' ? exitCodes.failed : exitCodes.ok;
}
