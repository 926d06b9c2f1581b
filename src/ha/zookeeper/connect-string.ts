import { haErrors } from '../errors.ts';

export interface ZooKeeperAddress {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** Where everything of the cluster is: an absolute path without a `/` at its end. */
  readonly chroot: string;
}

const DEFAULT_PORT = 2181;
const DEFAULT_PATH = '/millrace';
/** A name or an address of IPv4, or one of IPv6 in brackets, and perhaps a port. */
const SERVER = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/;

/** Reads `host:port,host:port/path`; throws MR-HA-CONNECT-STRING. */
export function parseConnectString(connect: string): ZooKeeperAddress {
  const refuse = (reason: string): Error => haErrors.create('MR-HA-CONNECT-STRING', { connect, reason });
  const slash = connect.indexOf('/');
  const hosts = (slash < 0 ? connect : connect.slice(0, slash)).split(',').map((each) => each.trim());
  const servers = hosts.map((each) => {
    const [, address, name, digits] = SERVER.exec(each) ?? [];
    const host = address ?? name;
    if (host === undefined) throw refuse(each === '' ? 'a host is missing' : `"${each}" is no host with a port`);
    const port = digits === undefined ? DEFAULT_PORT : Number(digits);
    if (port < 1 || port > 65_535) throw refuse(`${digits} is no port`);
    return { host, port };
  });
  const path = slash < 0 ? DEFAULT_PATH : connect.slice(slash).replace(/(.)\/$/, '$1');
  const names = path.split('/').slice(1);
  if (names.some((name) => name === '' || name === '.' || name === '..' || name === 'zookeeper')) {
    throw refuse(`"${path}" is no path for a cluster`);
  }
  return { servers, chroot: path };
}
