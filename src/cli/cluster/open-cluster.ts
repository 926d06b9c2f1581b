/** What every process of a cluster stands on: the place where the leader is elected, and calls between processes. */
import { resolve } from 'node:path';

import type { FileSystem, Ports } from '../../core/index.ts';
import { openEmbeddedHighAvailability, openZooKeeperHighAvailability, type HighAvailability } from '../../ha/index.ts';
import { openGrpcTransport, type GrpcTls, type GrpcTransport } from '../../rpc/index.ts';
import { cliErrors } from '../errors.ts';
import { reasonOf } from '../job-file.ts';
import type { RoleLog } from './role-log.ts';
import type { ClusterSettings } from './role-options.ts';

/** Where processes of one machine meet, if they are told nothing. */
const HA_DIRECTORY = '.millrace/cluster/ha';

/** The folder that processes of one machine share; null with ZooKeeper. */
export function sharedDirectory(settings: ClusterSettings): string | null {
  if (settings['ha.zookeeper.connect'] !== null) return null;
  return resolve(settings['ha.directory'] ?? HA_DIRECTORY);
}

export function openHighAvailability(settings: ClusterSettings, ports: Ports, log: RoleLog): HighAvailability {
  const directory = sharedDirectory(settings);
  const onProblem = ({ code, message }: { readonly code: string; readonly message: string }): void => {
    log('warn', 'coordination-problem', { code, message });
  };
  if (directory !== null) return openEmbeddedHighAvailability({ directory, ports, onProblem });
  const { 'ha.zookeeper.user': user, 'ha.zookeeper.password': password } = settings;
  return openZooKeeperHighAvailability({
    connect: settings['ha.zookeeper.connect'] ?? '',
    sessionTimeoutMs: settings['ha.zookeeper.session-timeout'],
    ...(user === null || password === null ? {} : { auth: { scheme: 'digest', user, password } }),
    acl: settings['ha.zookeeper.acl'],
    ports,
    onProblem,
  });
}

/** The PEM texts of the files that are named; null where none are. */
export async function readTls(settings: ClusterSettings, files: FileSystem): Promise<GrpcTls | null> {
  const { 'tls.cert': cert, 'tls.key': key, 'tls.ca': ca } = settings;
  if (cert === null || key === null || ca === null) return null;
  const [certText, keyText, caText] = await Promise.all([cert, key, ca].map((path) => readPem(path, files)));
  return { cert: certText ?? '', key: keyText ?? '', ca: caText ?? '' };
}

async function readPem(path: string, files: FileSystem): Promise<string> {
  try {
    return await files.readText(path);
  } catch (error) {
    throw cliErrors.create('MR-CLI-UNREADABLE-FILE', { path, reason: reasonOf(error) }, error);
  }
}

export function openRpc(
  settings: ClusterSettings,
  processId: string,
  tls: GrpcTls | null,
  ports: Ports,
): Promise<GrpcTransport> {
  const { 'rpc.advertised-host': advertisedHost, 'rpc.advertised-port': advertisedPort } = settings;
  return openGrpcTransport({
    listen: { host: settings['rpc.host'], port: settings['rpc.port'] },
    ...(advertisedHost === null ? {} : { advertisedHost }),
    ...(advertisedPort === null ? {} : { advertisedPort }),
    token: settings['rpc.token'],
    tls,
    ports,
    processId,
  });
}
