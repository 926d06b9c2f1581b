#!/usr/bin/env node
/*
 * Starts Millrace on Node >= 24. Under an older Node it runs the `node` package that the project (or the project around
 * the working directory) has installed, and passes signals, streams and the exit code through. Written for old Nodes:
 * this file alone must load everywhere.
 */
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { constants } from 'node:os';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED_MAJOR = 24;
const USAGE_EXIT_CODE = 2;
/** Set for the second process, which does not start a third. */
const RESTARTED_VARIABLE = 'MILLRACE_RESTARTED';
const HERE = dirname(realpathSync(fileURLToPath(import.meta.url)));

if (majorOf(process.versions.node) >= NEEDED_MAJOR) start();
else restart();

function majorOf(version) {
  return Number.parseInt(version, 10);
}

/** In a checkout the sources run as they are; in a package only the built files are there. */
function start() {
  const candidates = [join(HERE, '..', 'src', 'cli', 'main.ts'), join(HERE, '..', 'dist', 'src', 'cli', 'main.js')];
  const entry = candidates.find((path) => existsSync(path));
  if (entry === undefined) fail('millrace is not built: run `npm run build`');
  // Half of a short command's time is the compiler's; what it made is kept in the folder for temporary files.
  module.enableCompileCache?.();
  return import(pathToFileURL(entry).href);
}

function restart() {
  const node = process.env[RESTARTED_VARIABLE] === undefined ? findNode() : null;
  if (node === null) {
    fail(
      `millrace needs Node >= ${NEEDED_MAJOR} and this is ${process.versions.node}: install a newer one, ` +
        `or add it to your project with \`npm install node@${NEEDED_MAJOR}\``,
    );
  }
  const child = spawn(node, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, [RESTARTED_VARIABLE]: '1' },
  });
  // A supervisor signals this process alone. From a terminal the child gets the signal twice, as it does under npm:
  // the command line takes a second one that follows at once for the same (src/cli/interruption.ts).
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

/** The binary of an installed `node` package that is new enough, looked for from here and from the working directory. */
function findNode() {
  for (const from of [HERE, process.cwd()]) {
    try {
      const require = createRequire(join(from, 'here.js'));
      const manifest = require.resolve('node/package.json');
      const path = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
      if (majorOf(require(manifest).version) >= NEEDED_MAJOR && existsSync(path)) return path;
    } catch {
      // Not installed from here up: the next place may have it.
    }
  }
  return null;
}

function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(USAGE_EXIT_CODE);
}
