/** The life of a process that plays a role: it says when it is ready, and works until it is told to end. */
import { printResult, type CommandContext } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import { watchForInterruption } from '../interruption.ts';
import { reportError } from '../report-error.ts';
import { OutputRing } from './output-ring.ts';
import { roleLog, type RoleLog } from './role-log.ts';

export type RoleName = 'dispatcher' | 'taskmanager';

/** What a process says of itself once it is ready: harnesses wait for this line, and read where it is. */
export interface ReadyRole {
  readonly id: string;
  /** Where its gateways are served. */
  readonly rpcAddress: string;
  /** Of a Dispatcher. */
  readonly restUrl?: string;
  /** Of a TaskManager. */
  readonly slots?: number;
}

export interface RunningRole {
  readonly ready: ReadyRole;
  /** Hands over what it does; resolves when nothing of it is left. */
  close(): Promise<void>;
}

export interface RoleRequest {
  readonly role: RoleName;
  readonly json: boolean;
  readonly logFormat: 'text' | 'json';
  /** Ends at once when its standard input does: whoever has started it is gone. */
  readonly endsWithInput: boolean;
  readonly start: (log: RoleLog, written: OutputRing) => Promise<RunningRole>;
}

/**
 * Ends the process itself, whatever else may still be open in it. The first signal ends it in good order, the second at
 * once.
 */
export async function runRole(context: CommandContext, request: RoleRequest): Promise<void> {
  const { environment, ports } = context;
  const written = new OutputRing(() => ports.clock.nowMs());
  environment.onWritten((stream, bytes) => written.add(stream === 'output' ? 'stdout' : 'log', bytes));
  const log = roleLog(ports, request.role, request.logFormat);
  if (request.endsWithInput) environment.onInputEnded(() => environment.exitNow(exitCodes.interrupted));
  const told = new Promise<void>((resolve) => {
    watchForInterruption(environment, ports.clock, () => {
      log('info', 'ending', { hint: 'once more to end at once' });
      resolve();
    });
  });
  try {
    const running = await request.start(log, written);
    await printResult(context, readyLine(context, request, running.ready));
    // Whoever takes its place after a crash starts faster and smaller: most roles end by being killed.
    environment.keepCompiledCode();
    await told;
    await running.close();
    log('info', 'ended');
    environment.exitNow(exitCodes.ok);
  } catch (error) {
    environment.exitNow(reportError(context, error));
  }
}

function readyLine({ environment }: CommandContext, { role, json }: RoleRequest, ready: ReadyRole): string {
  if (json) return JSON.stringify({ role, pid: environment.processId, ...ready });
  const { id, rpcAddress, restUrl, slots } = ready;
  const where = restUrl === undefined ? `${slots ?? 0} slots` : `REST API and status page at ${restUrl}`;
  return `${role} ${id} is ready: ${where}, RPC at ${rpcAddress}, process ${environment.processId}`;
}
