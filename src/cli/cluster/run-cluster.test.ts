import { describe, expect, it } from '@jest/globals';

import { runFake } from '../fixtures/fake-context.ts';
import type { ProgramEnd, StartedProgram } from '../start-program.ts';

/** Processes that say that they are ready at once, and end when they are told to. */
function fakePrograms(script: { readonly failing?: string } = {}) {
  const started: { readonly args: readonly string[]; readonly signals: string[] }[] = [];
  const order: string[] = [];
  const startProgram = (args: readonly string[]): Promise<StartedProgram> => {
    const role = args[0] ?? '';
    const index = started.filter((each) => each.args[0] === role).length + 1;
    const signals: string[] = [];
    started.push({ args, signals });
    let end: (result: ProgramEnd) => void = () => undefined;
    const ended = new Promise<ProgramEnd>((resolve) => {
      end = resolve;
    });
    const isFailing = script.failing === role;
    if (isFailing) end({ exitCode: 2, signal: null });
    const restUrl = role === 'dispatcher' ? { restUrl: `http://127.0.0.1:${8080 + index}` } : {};
    const ready = { role, pid: 100 * index, id: `${role}-id-${index}`, rpcAddress: '127.0.0.1:1', ...restUrl };
    return Promise.resolve({
      processId: ready.pid,
      onOutput(listener) {
        if (isFailing) return;
        listener(JSON.stringify(ready));
        listener('{"printed":true}');
      },
      onErrors: (listener) => listener(`${role} says something`),
      ended,
      signal(signal) {
        signals.push(signal);
        order.push(role);
        end({ exitCode: 0, signal: null });
      },
    });
  };
  return { started, order, startProgram };
}

describe('millrace cluster', () => {
  it('starts its processes, says where they are, and ends the Dispatchers first', async () => {
    const { started, order, startProgram } = fakePrograms();
    let raise: () => void = () => undefined;
    const running = runFake(['cluster', '--dispatchers', '2', '--taskmanagers', '2', '--slots', '3'], {
      startProgram: async (args) => {
        const program = await startProgram(args);
        // All are there once the last one is; what is printed then is printed before the signal is looked at.
        if (started.length === 4) void Promise.resolve().then(() => setImmediate(raise));
        return program;
      },
      onListening: (signal) => {
        raise = signal;
      },
    });
    const { exitCode, output, errors } = await running;
    expect(exitCode).toBe(0);
    expect(output).toContain('REST API and status page: http://127.0.0.1:8081, http://127.0.0.1:8082');
    expect(output).toContain('taskmanager-2: process 200, taskmanager-id-2');
    expect(errors).toContain('dispatcher-1: dispatcher says something');
    expect(started.map(({ args }) => args[0])).toEqual(['dispatcher', 'dispatcher', 'taskmanager', 'taskmanager']);
    expect(started[1]?.args.join(' ')).toContain('--rest-port 8082');
    expect(started[3]?.args.join(' ')).toContain('--slots 3');
    for (const { args } of started) expect(args).toContain('--ends-with-input');
    expect(order).toEqual(['dispatcher', 'dispatcher', 'taskmanager', 'taskmanager']);
  });

  it('ends all of them where one does not start', async () => {
    const { started, startProgram } = fakePrograms({ failing: 'taskmanager' });
    const { exitCode, errors } = await runFake(['cluster', '--json'], { startProgram });
    expect(exitCode).toBe(1);
    expect(errors).toContain('MR-CLI-CLUSTER-START: taskmanager-1 did not start: it ended, exit code 2');
    expect(started[0]?.signals).toEqual(['SIGTERM']);
  });
});
