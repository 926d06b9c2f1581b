/*
 * Run while the image is built: both roles start once, so that what Node's compiler makes of the program is in the image
 * and a container starts the sooner for it. The folder for that is the variable NODE_COMPILE_CACHE.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const program = '/opt/millrace/bin/millrace.mjs';
const roles = {
  dispatcher: ['--ha-directory', '/tmp/ha', '--rest-port', '0'],
  taskmanager: ['--ha-directory', '/tmp/ha', '--work-directory', '/tmp/work'],
};
for (const [role, flags] of Object.entries(roles)) {
  const child = spawn(process.execPath, [program, role, '--no-config', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MILLRACE_RPC_PORT: '0', MILLRACE_TASKMANAGER_DATA_PORT: '0' },
  });
  createInterface({ input: child.stdout }).once('line', () => child.kill('SIGTERM'));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${role} ended with ${code}`);
}
