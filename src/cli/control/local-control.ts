/**
 * JobControl between processes of one user on one machine: a Unix domain socket, where the REST of a Dispatcher would
 * be. One request per connection, a line of JSON, and one line that answers it. Where the socket is stands in the job's
 * directory, as it may have a longer path than sockets may.
 */
import { dirname } from 'node:path';

import {
  deserializeError,
  serializeError,
  shape,
  readShape,
  systemErrorCode,
  type LocalListener,
  type Ports,
  type SerializedError,
  type Socket,
} from '../../core/index.ts';
import { cliErrors } from '../errors.ts';
import type { JobControl, StopSavepoint } from './job-control.ts';

type ControlPorts = Pick<Ports, 'files' | 'network'>;

type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: SerializedError };

/** As the port makes them; nothing else is removed, whatever the file says. */
const OWN_SOCKET = /[/\\]millrace-\w{6}[/\\]control$/;
const MAX_LINE_BYTES = 1024 * 1024;

const requestShape = shape.fields({
  request: shape.oneOf('status', 'savepoint', 'stop'),
  to: shape.nullable(shape.text),
  withSavepoint: shape.flag,
  drains: shape.flag,
});

export interface ControlServer {
  /** Nothing is accepted any more. Resolves once all who were being answered are. */
  close(): Promise<void>;
}

/** Answers other processes until it is closed. `path` is the file that tells them where; the job's lock is held. */
export async function serveControl(ports: ControlPorts, path: string, control: JobControl): Promise<ControlServer> {
  const { files, network } = ports;
  const idle = new Set<Socket>();
  const answering = new Set<Promise<void>>();
  const listener: LocalListener | null =
    (await network.listenLocal?.((socket) => {
      idle.add(socket);
      const work = converse(socket, control, () => idle.delete(socket));
      answering.add(work);
      void work.finally(() => answering.delete(work));
    })) ?? null;
  if (listener !== null) {
    await removeStale(files, path);
    await files.writeText(path, listener.path);
  }
  return {
    async close() {
      await listener?.close();
      await files.remove(path);
      for (const socket of idle) socket.close();
      await Promise.allSettled(answering);
    },
  };
}

/** The socket of a process that has died: nobody else has held the job's lock meanwhile. */
async function removeStale(files: Ports['files'], path: string): Promise<void> {
  const socket = await files.readText(path).catch(() => null);
  if (socket === null || !OWN_SOCKET.test(socket)) return;
  await files.remove(socket);
  await files.removeEmptyDirectory(dirname(socket));
}

async function converse(socket: Socket, control: JobControl, onRequest: () => void): Promise<void> {
  try {
    const line = await readLine(socket);
    onRequest();
    if (line !== null) await socket.write(Buffer.from(`${JSON.stringify(await answer(line, control))}\n`));
  } catch {
    // Whoever asked is gone.
  } finally {
    onRequest();
    socket.close();
  }
}

async function answer(line: string, control: JobControl): Promise<Answer> {
  try {
    return { ok: true, value: await carryOut(line, control) };
  } catch (error) {
    return { ok: false, error: serializeError(error) };
  }
}

async function carryOut(line: string, control: JobControl): Promise<unknown> {
  const reading = readShape(requestShape, parseJson(line));
  if (reading.kind === 'refused') {
    throw cliErrors.create('MR-CLI-CONTROL-FAILED', { reason: `a request that makes no sense: ${reading.reason}` });
  }
  const { request, to, withSavepoint, drains } = reading.value;
  switch (request) {
    case 'status':
      return control.status();
    case 'savepoint':
      return control.savepoint(to);
    case 'stop':
      return control.stop(withSavepoint ? { to, drains } : null);
  }
}

/** A job that another process runs and tells of at `path`. Rejects with MR-CLI-NOT-RUNNING where none does. */
export function remoteControl(ports: ControlPorts, path: string, jobName: string): JobControl {
  const ask = async (request: 'status' | 'savepoint' | 'stop', given: Partial<StopSavepoint> = {}) => {
    const { to = null, drains = false } = given;
    const withSavepoint = given.to !== undefined;
    const socket = await connect(ports, path, jobName);
    try {
      await socket.write(Buffer.from(`${JSON.stringify({ request, to, withSavepoint, drains })}\n`));
      const line = await readLine(socket);
      if (line === null) throw cliErrors.create('MR-CLI-CONTROL-FAILED', { reason: 'its process has ended' });
      const answered = parseJson(line) as Answer;
      if (!answered.ok) throw deserializeError(answered.error);
      return answered.value;
    } finally {
      socket.close();
    }
  };
  return {
    status: () => ask('status') as ReturnType<JobControl['status']>,
    savepoint: (to) => ask('savepoint', { to }) as ReturnType<JobControl['savepoint']>,
    stop: (savepoint) => ask('stop', savepoint ?? {}) as ReturnType<JobControl['stop']>,
  };
}

async function connect({ files, network }: ControlPorts, path: string, jobName: string): Promise<Socket> {
  try {
    const socketPath = await files.readText(path);
    if (network.connectLocal === undefined) throw new Error('this system has no sockets for that');
    return await network.connectLocal(socketPath);
  } catch (error) {
    const isGone = ['ENOENT', 'ECONNREFUSED'].includes(systemErrorCode(error) ?? '');
    const nobody = 'no process says so there (a job of a cluster is reached with --dispatcher)';
    const reason = isGone ? nobody : error instanceof Error ? error.message : String(error);
    throw cliErrors.create('MR-CLI-NOT-RUNNING', { job: jobName, path, reason }, error);
  }
}

/** Null where the other side ends before its line does. */
async function readLine(socket: Socket): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size <= MAX_LINE_BYTES; ) {
    const chunk = await socket.read();
    if (chunk === null) return null;
    chunks.push(chunk);
    size += chunk.length;
    const end = chunk.indexOf(10);
    if (end >= 0) return Buffer.concat(chunks).subarray(0, size - chunk.length + end).toString('utf8');
  }
  throw new Error('a line without end');
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
