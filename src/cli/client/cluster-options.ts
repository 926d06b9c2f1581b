/** The options of every command that asks a cluster, and how they lead to it. */
import { Option, type Command } from 'commander';

import { defineOptions, parseOptions } from '../../core/index.ts';
import type { CommandContext } from '../command-context.ts';
import { cliErrors } from '../errors.ts';
import { readJobFile } from '../job-file.ts';
import type { ClusterClient } from './cluster-client.ts';
import type { DispatcherFinder } from './find-dispatchers.ts';

export interface ClusterFlags {
  readonly dispatcher?: readonly string[];
  readonly zookeeper?: string;
  readonly token?: string;
  readonly tlsCa?: string;
  readonly timeout?: string;
}

/** Where a Dispatcher serves its API if it is told nothing. */
const DEFAULT_URL = 'http://127.0.0.1:8081';
const DEFAULT_TIMEOUT = '30s';

const timeoutOptions = defineOptions({
  timeout: { kind: 'duration', default: DEFAULT_TIMEOUT, min: 1, doc: 'how long a leader is waited for' },
});

/** `otherwise` says what happens where none of them is given. */
export function addClusterOptions(command: Command, otherwise = DEFAULT_URL): Command {
  return command
    .addOption(
      new Option(
        '--dispatcher <url>',
        `URL of any Dispatcher of the cluster; several with commas, or repeated (MILLRACE_DISPATCHER, ${otherwise})`,
      )
        .argParser(collectUrls)
        .conflicts('zookeeper'),
    )
    .option(
      '--zookeeper <hosts/folder>',
      'finds the leader in ZooKeeper: HOST:PORT,HOST:PORT/FOLDER (MILLRACE_ZOOKEEPER)',
    )
    .option('--token <token>', 'what the cluster knows you by; better in MILLRACE_TOKEN, which nobody sees')
    .option('--tls-ca <file>', 'PEM file with the authority of the cluster\'s certificates (MILLRACE_TLS_CA)')
    .option('--timeout <duration>', `how long a leader is waited for (${DEFAULT_TIMEOUT})`);
}

function collectUrls(text: string, before: readonly string[] | undefined): readonly string[] {
  const urls = text.split(',').map((url) => url.trim()).filter((url) => url !== '');
  return [...(before ?? []), ...urls];
}

/** Whether somebody has said which cluster. */
export function namesCluster(context: CommandContext, flags: ClusterFlags): boolean {
  const { variables } = context.environment;
  const named = [flags.dispatcher, flags.zookeeper, variables['MILLRACE_DISPATCHER'], variables['MILLRACE_ZOOKEEPER']];
  return named.some((each) => each !== undefined && each !== '');
}

/** Gives `use` a client of the cluster that the command line or the environment names, and closes it in the end. */
export async function withCluster<T>(
  context: CommandContext,
  flags: ClusterFlags,
  use: (client: ClusterClient) => Promise<T>,
): Promise<T> {
  const client = await openCluster(context, flags);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function openCluster(context: CommandContext, flags: ClusterFlags): Promise<ClusterClient> {
  const { ports, environment } = context;
  const { variables } = environment;
  const { values, problems } = parseOptions(timeoutOptions, { timeout: flags.timeout });
  const [problem] = problems;
  if (problem !== undefined) throw usage(`--timeout: ${problem.message}`);
  const caFile = flags.tlsCa ?? textOf(variables['MILLRACE_TLS_CA']);
  const ca = caFile === null ? null : await readJobFile(context, caFile);
  const token = flags.token ?? textOf(variables['MILLRACE_TOKEN']);
  // It goes into a header.
  if (token !== null && !/^[\x21-\x7e]+$/.test(token)) throw usage('a token has printable characters and no blanks');
  // Most commands ask no cluster.
  const [client, { httpExchange }, finder] = await Promise.all([
    import('./cluster-client.ts'),
    import('./http-exchange.ts'),
    openFinder(context, flags),
  ]);
  return new client. ClusterClient({ finder, exchange: httpExchange, token, ca, timeoutMs: values.timeout, ports });
}

async function openFinder({ ports, environment }: CommandContext, flags: ClusterFlags): Promise<DispatcherFinder> {
  const { variables } = environment;
  const { dispatchersAt, dispatchersByZooKeeper } = await import('./find-dispatchers.ts');
  const urls = flags.dispatcher ?? collectUrls(variables['MILLRACE_DISPATCHER'] ?? '', undefined);
  // What was typed goes before what is in the environment.
  const isTyped = flags.dispatcher !== undefined;
  const connect = flags.zookeeper ?? (isTyped ? null : textOf(variables['MILLRACE_ZOOKEEPER']));
  if (connect !== null) {
    const user = textOf(variables['MILLRACE_HA_ZOOKEEPER_USER']);
    const password = textOf(variables['MILLRACE_HA_ZOOKEEPER_PASSWORD']);
    const auth = user === null || password === null ? null : { user, password };
    return dispatchersByZooKeeper({ connect, auth, ports });
  }
  for (const url of urls) checkUrl(url);
  return dispatchersAt(urls.length === 0 ? [DEFAULT_URL] : urls);
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isUsable = url !== null && ['http:', 'https:'].includes(url.protocol) && url.search === '' && url.hash === '';
  if (!isUsable) throw usage(`${text} is no URL of a Dispatcher: http://HOST:PORT or https://HOST:PORT is expected`);
}

function usage(problem: string): Error {
  return cliErrors.create('MR-CLI-USAGE', { problem });
}

/** An empty variable is one that somebody has taken back. */
function textOf(value: string | undefined): string | null {
  return value === undefined || value === '' ? null : value;
}
