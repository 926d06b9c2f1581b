import { containerLog, isContainerRunning, killContainer, removeContainer } from './docker.ts';
import { logTail } from './log-tail.ts';
import { isAlive, signalProcess, stopProcess } from './processes.ts';
import type { Handle } from './state.ts';

export type StopSignal = 'SIGTERM' | 'SIGKILL';

export async function isRunning(handle: Handle): Promise<boolean> {
  return handle.kind === 'process' ? isAlive(handle) : isContainerRunning(handle.container);
}

/** Sends a signal, SIGSTOP and SIGCONT among them. */
export async function signalHandle(handle: Handle, signal: NodeJS.Signals): Promise<void> {
  if (handle.kind === 'process') signalProcess(handle, signal);
  else await killContainer(handle.container, signal);
}

/** Returns when the process or container is gone; by SIGKILL once the grace has passed. */
export async function stopHandle(handle: Handle, signal: StopSignal, graceMs: number): Promise<void> {
  if (handle.kind === 'process') {
    await stopProcess(handle, { signal, graceMs });
    return;
  }
  if (signal === 'SIGKILL' && (await isContainerRunning(handle.container))) {
    await killContainer(handle.container, 'KILL');
  }
  await removeContainer(handle.container, Math.ceil(graceMs / 1000));
}

export async function explainHandle(handle: Handle, logFile: string): Promise<string> {
  return handle.kind === 'process' ? logTail(logFile) : containerLog(handle.container);
}
