import { spawn } from 'node:child_process';
import { relative } from 'node:path';

import { formatFinding, houseChecks, readSourceTree } from '../house/index.ts';

export interface CheckResult {
  readonly name: string;
  /** `file:line:column: rule: message`, one each. */
  readonly findings: readonly string[];
  readonly seconds: number;
}

/** Every check over the project at `root`: each rule of the house, the compiler, ESLint. */
export async function runCheck(root: string): Promise<readonly CheckResult[]> {
  const slow = Promise.all([timed('types', () => compile(root)), timed('lint', () => lint(root))]);
  return [...checkHouse(root), ...(await slow)];
}

function checkHouse(root: string): CheckResult[] {
  let started = performance.now();
  const tree = readSourceTree(root);
  return houseChecks.map((check) => {
    const findings = check.find(tree).map(formatFinding);
    const seconds = (performance.now() - started) / 1000;
    started = performance.now();
    return { name: check.rule, findings, seconds };
  });
}

async function timed(name: string, run: () => Promise<readonly string[]>): Promise<CheckResult> {
  const started = performance.now();
  const findings = await run();
  return { name, findings, seconds: (performance.now() - started) / 1000 };
}

async function compile(root: string): Promise<readonly string[]> {
  const compiler = ['node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false', '-p', '.'];
  const { code, output } = await run(root, compiler);
  const findings = output.split('\n').flatMap((line) => {
    const match = /^(.+)\((\d+),(\d+)\): (error .*)$/.exec(line);
    return match === null ? [] : [`${match[1] ?? ''}:${match[2] ?? ''}:${match[3] ?? ''}: types: ${match[4] ?? ''}`];
  });
  return code !== 0 && findings.length === 0 ? [`tsc ended with ${code}: ${output}`] : findings;
}

interface LintedFile {
  readonly filePath: string;
  readonly messages: readonly { ruleId: string | null; message: string; line?: number; column?: number }[];
}

async function lint(root: string): Promise<readonly string[]> {
  const { code, output, errors } = await run(root, ['node_modules/eslint/bin/eslint.js', '.', '--format', 'json']);
  if (code !== 0 && code !== 1) return [`eslint ended with ${code}: ${errors}`];
  return (JSON.parse(output) as LintedFile[]).flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId, message, line = 1, column = 1 }) => {
      const path = relative(root, filePath);
      return `${path}:${line}:${column}: ${ruleId ?? 'lint'}: ${message.split('\n')[0] ?? ''}`;
    }),
  );
}

function run(root: string, args: readonly string[]): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? 255, output, errors: errors + (signal ?? '') }));
  });
}
