import { execFile } from 'node:child_process';

import { ServicesError, USAGE_EXIT_CODE } from './errors.ts';

/** What this machine can run services with. */
export type Runtime = 'java' | 'docker';

function succeeds(command: string, args: readonly string[], timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: timeoutMs, encoding: 'utf8', env: process.env }, (error, stdout, stderr) => {
      resolve(error === null ? `${stdout}${stderr}` : undefined);
    });
  });
}

/** The feature release of the `java` on the path (17, 21, …), or undefined without one. */
async function javaRelease(): Promise<number | undefined> {
  const output = await succeeds('java', ['-version'], 20_000);
  const version = output === undefined ? null : /version "(?:1\.)?(\d+)/.exec(output);
  return version?.[1] === undefined ? undefined : Number(version[1]);
}

async function hasMaven(): Promise<boolean> {
  return (await succeeds('mvn', ['-v'], 20_000)) !== undefined;
}

async function dockerAnswers(): Promise<boolean> {
  return (await succeeds('docker', ['version', '--format', '{{.Server.Version}}'], 20_000)) !== undefined;
}

const REQUIRED_JAVA_RELEASE = 17;

/**
 * Java where it is new enough and the jar files are cached or can be fetched, else Docker where an engine answers.
 * Rejects with one line and exit code 2 where there is neither.
 */
export async function chooseRuntime(artifactsCached: boolean): Promise<Runtime> {
  const release = await javaRelease();
  const javaFits = release !== undefined && release >= REQUIRED_JAVA_RELEASE;
  if (javaFits && (artifactsCached || (await hasMaven()))) return 'java';
  if (await dockerAnswers()) return 'docker';
  const java =
    release === undefined ? 'no java on the PATH' : javaFits ? 'no mvn on the PATH' : `java is ${String(release)}`;
  throw new ServicesError(
    `Kafka and ZooKeeper need Java ${String(REQUIRED_JAVA_RELEASE)} or newer with Maven, or a Docker engine: ` +
      `${java}, and no Docker engine answers`,
    { exitCode: USAGE_EXIT_CODE },
  );
}
