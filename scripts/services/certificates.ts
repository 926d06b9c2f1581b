/*
 * A certificate authority and a server certificate for 127.0.0.1 and localhost, made by keytool once per cache
 * directory. They protect nothing: their keys and passwords are known to everyone.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cacheDirectory } from './cache.ts';
import { ServicesError } from './errors.ts';
import { withFileLock } from './file-lock.ts';

export interface Certificates {
  /** PEM; what a client trusts. */
  readonly caFile: string;
  /** PEM; an authority that signed nothing here, for tests of distrust. */
  readonly otherCaFile: string;
  /** PKCS 12 with the server's key and chain. */
  readonly keystoreFile: string;
  readonly storePassword: string;
}

const STORE_PASSWORD = 'millrace';
const VALIDITY_DAYS = '7300';

/** Calls keytool; it reads and writes in the directory only. */
type RunKeytool = (args: readonly string[], directory: string) => Promise<void>;
type Keytool = (args: readonly string[]) => Promise<void>;

const runLocalKeytool: RunKeytool = (args) =>
  new Promise((resolve, reject) => {
    execFile('keytool', args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new ServicesError(`keytool ${args[0] ?? ''}: ${`${stdout}${stderr}`.trim() || error.message}`));
    });
  });

async function makeAuthority(run: Keytool, store: string, pem: string, commonName: string): Promise<void> {
  const access = ['-alias', 'ca', '-keystore', store, '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD];
  await run([
    '-genkeypair', ...access, '-keyalg', 'EC', '-groupname', 'secp256r1', '-dname', `CN=${commonName}`,
    '-validity', VALIDITY_DAYS, '-ext', 'bc:c=ca:true', '-ext', 'ku:c=keyCertSign,cRLSign',
  ]);
  await run(['-exportcert', '-rfc', ...access, '-file', pem]);
}

async function makeAll(run: Keytool, directory: string): Promise<void> {
  const at = (name: string): string => join(directory, name);
  const server = ['-keystore', at('server.p12'), '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD, '-noprompt'];
  await makeAuthority(run, at('ca.p12'), at('ca.pem'), 'Millrace test authority');
  await makeAuthority(run, at('other-ca.p12'), at('other-ca.pem'), 'Another authority');
  await run([
    '-genkeypair', '-alias', 'server', ...server, '-keyalg', 'RSA', '-keysize', '2048', '-dname', 'CN=localhost',
    '-validity', VALIDITY_DAYS,
  ]);
  await run(['-certreq', '-alias', 'server', ...server, '-file', at('server.csr')]);
  await run([
    '-gencert', '-alias', 'ca', '-keystore', at('ca.p12'), '-storepass', STORE_PASSWORD, '-rfc',
    '-infile', at('server.csr'), '-outfile', at('server.pem'), '-validity', VALIDITY_DAYS,
    '-ext', 'san=dns:localhost,ip:127.0.0.1',
  ]);
  await run(['-importcert', '-alias', 'ca', ...server, '-file', at('ca.pem')]);
  await run(['-importcert', '-alias', 'server', ...server, '-file', at('server.pem')]);
}

/** Returns the files, making them on first need. `run` calls keytool elsewhere than on this machine. */
export async function ensureCertificates(run: RunKeytool = runLocalKeytool): Promise<Certificates> {
  const directory = join(cacheDirectory(), 'certificates-1');
  if (!existsSync(directory)) {
    mkdirSync(cacheDirectory(), { recursive: true });
    await withFileLock(`${directory}.lock`, async () => {
      if (existsSync(directory)) return;
      const partial = `${directory}.partial`;
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial);
      await makeAll((args) => run(args, partial), partial);
      renameSync(partial, directory);
    });
  }
  return {
    caFile: join(directory, 'ca.pem'),
    otherCaFile: join(directory, 'other-ca.pem'),
    keystoreFile: join(directory, 'server.p12'),
    storePassword: STORE_PASSWORD,
  };
}
