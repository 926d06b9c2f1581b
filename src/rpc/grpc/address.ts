/** Where a process listens. */
export interface ProcessAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, as in URLs: an IPv6 address stands in brackets. */
export function formatProcessAddress({ host, port }: ProcessAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export interface GatewayAddress {
  /** `host:port` */
  readonly process: string;
  readonly name: string;
}

/** Splits `host:port/name`; the name, which may hold slashes, is empty where there is none. */
export function splitAddress(address: string): GatewayAddress {
  const slash = address.indexOf('/');
  if (slash === -1) return { process: address, name: '' };
  return { process: address.slice(0, slash), name: address.slice(slash + 1) };
}

/** Null for what is not `host:port`. */
export function parseProcessAddress(text: string): ProcessAddress | null {
  const match = /^(?:\[([\da-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}
