/** Runs a program to its end; rejects with the tail of its output where it fails. */
import { spawn } from 'node:child_process';

const TAIL_CHARACTERS = 4000;

export function runChild(program: string, args: readonly string[], timeoutMs = 600_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let output = '';
    let tail = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString();
      tail = (tail + bytes.toString()).slice(-TAIL_CHARACTERS);
    });
    child.stderr.on('data', (bytes: Buffer) => {
      tail = (tail + bytes.toString()).slice(-TAIL_CHARACTERS);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}:\n${tail}`));
    });
  });
}
