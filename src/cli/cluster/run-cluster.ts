/** A cluster of processes on this machine, for development: this process starts the others and ends with them. */
import { join, resolve } from 'node:path';

import { printResult, tell, type CommandContext } from '../command-context.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { watchForInterruption } from '../interruption.ts';
import type { ProgramEnd, StartedProgram } from '../start-program.ts';
import type { RoleName } from './role-process.ts';

export interface ClusterRequest {
  readonly dispatchers: number;
  readonly taskManagers: number;
  /** Per TaskManager. */
  readonly slots: number;
  /** Of the first Dispatcher; the next have the next ones. 0 for any. */
  readonly restPort: number;
  readonly dataFolder: string;
  /** Null for the folder itself, which serves processes of one machine. */
  readonly zookeeper: string | null;
  readonly json: boolean;
}

/** What the ready line of a role says. */
interface ReadyLine {
  readonly role: RoleName;
  readonly pid: number;
  readonly id: string;
  readonly rpcAddress: string;
  readonly restUrl?: string;
}

interface Member {
  readonly name: string;
  readonly role: RoleName;
  readonly program: StartedProgram;
  /** Rejects where it ends before it is ready. */
  readonly ready: Promise<ReadyLine>;
}

/** Resolves to the exit code once all processes have ended. None is started again. */
export async function runCluster(context: CommandContext, request: ClusterRequest): Promise<number> {
  const members: Member[] = [];
  const interruption = new AbortController();
  const { signal } = interruption;
  let ending: Promise<void> = Promise.resolve();
  const release = watchForInterruption(context.environment, context.ports.clock, () => {
    interruption.abort();
    tell(context, 'ending the cluster (once more to end at once)');
    ending = endAll(members);
  });
  try {
    for (const line of commandLines(request)) {
      if (!signal.aborted) members.push(await startMember(context, line));
    }
    await tellWhenReady(context, request, members, signal);
    const ends = await Promise.all(members.map((member) => watchMember(context, member, signal)));
    await ending;
    return signal.aborted || ends.every(({ exitCode }) => exitCode === exitCodes.ok) ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    await endAll(members);
    throw error;
  } finally {
    release();
  }
}

interface CommandLine {
  readonly name: string;
  readonly role: RoleName;
  readonly args: readonly string[];
}

/** Everything by flags, so that neither a file in the working folder nor a variable has a say. */
function commandLines(request: ClusterRequest): readonly CommandLine[] {
  const { dispatchers, taskManagers, slots, restPort, zookeeper } = request;
  const folder = resolve(request.dataFolder);
  const common = ['--no-config', '--json', '--ends-with-input', '--rpc-host', '127.0.0.1', '--rpc-port', '0'];
  const election = zookeeper === null ? ['--ha-directory', join(folder, 'ha')] : ['--zookeeper', zookeeper];
  const lines: CommandLine[] = [];
  for (let i = 0; i < dispatchers; i++) {
    const port = restPort === 0 ? 0 : restPort + i;
    const rest = ['--rest-host', '127.0.0.1', '--rest-port', String(port)];
    // Whoever can connect is on this machine, as for everything else that this cluster does.
    const jobs = ['--checkpoints-place', join(folder, 'checkpoints'), '--jobs-code-upload', 'always'];
    const args = ['dispatcher', ...common, ...election, ...rest, ...jobs];
    lines.push({ name: `dispatcher-${i + 1}`, role: 'dispatcher', args });
  }
  for (let i = 0; i < taskManagers; i++) {
    const work = ['--work-directory', join(folder, 'work'), '--drain-timeout', '0s', '--data-port', '0'];
    const args = ['taskmanager', ...common, ...election, '--slots', String(slots), ...work];
    lines.push({ name: `taskmanager-${i + 1}`, role: 'taskmanager', args });
  }
  return lines;
}

async function startMember(context: CommandContext, { name, role, args }: CommandLine): Promise<Member> {
  const program = await context.startProgram(args);
  program.onErrors((line) => tell(context, `${name}: ${line}`));
  const ready = new Promise<ReadyLine>((resolve, reject) => {
    let isFirst = true;
    program.onOutput((line) => {
      // What follows the first line is what sinks print.
      if (!isFirst) void printResult(context, line);
      else resolve(JSON.parse(line) as ReadyLine);
      isFirst = false;
    });
    void program.ended.then((end) => {
      reject(cliErrors.create('MR-CLI-CLUSTER-START', { process: name, end: describeEnd(end) }));
    });
  });
  // It is awaited later, and may have ended by then.
  ready.catch(() => undefined);
  return { name, role, program, ready };
}

async function tellWhenReady(
  context: CommandContext,
  request: ClusterRequest,
  members: readonly Member[],
  ending: AbortSignal,
): Promise<void> {
  let ready: readonly ReadyLine[];
  try {
    ready = await Promise.all(members.map((member) => member.ready));
  } catch (error) {
    if (ending.aborted) return;
    throw error;
  }
  const processes = ready.map((line, i) => ({ name: members[i]?.name ?? '', ...line }));
  const rest = ready.flatMap(({ restUrl }) => (restUrl === undefined ? [] : [restUrl]));
  if (request.json) {
    await printResult(context, JSON.stringify({ rest, pid: context.environment.processId, processes }));
    return;
  }
  const lines = [
    ...processes.map(({ name, pid, id }) => `${name}: process ${pid}, ${id}`),
    `REST API and status page: ${rest.join(', ')}`,
    `submit with: millrace submit job.yaml --dispatcher ${rest[0] ?? ''}`,
  ];
  await printResult(context, lines.join('\n'));
}

async function watchMember(
  context: CommandContext,
  { name, program }: Member,
  ending: AbortSignal,
): Promise<ProgramEnd> {
  const end = await program.ended;
  if (!ending.aborted) tell(context, `${name} has ended: ${describeEnd(end)}; it is not started again`);
  return end;
}

function describeEnd({ exitCode, signal }: ProgramEnd): string {
  return signal === null ? `exit code ${exitCode ?? 0}` : `by ${signal}`;
}

/** Dispatchers first: without a leader nobody moves the tasks of TaskManagers that end. */
async function endAll(members: readonly Member[]): Promise<void> {
  for (const role of ['dispatcher', 'taskmanager'] as const) {
    const those = members.filter((member) => member.role === role);
    for (const { program } of those) program.signal('SIGTERM');
    await Promise.all(those.map(({ program }) => program.ended));
  }
}
