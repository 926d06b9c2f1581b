import { restErrors } from './errors.ts';

export interface Exposure {
  /** Where the API is to be served. */
  readonly host: string;
  readonly hasTokens: boolean;
  readonly hasTls: boolean;
  /** The operator's word that the network may be trusted (`--insecure`). */
  readonly isInsecureAllowed: boolean;
}

/** Whether only processes of this machine can connect to it. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** Throws MR-REST-EXPOSED where an address but loopback lacks a token, or TLS and the word that it needs none. */
export function checkExposure({ host, hasTokens, hasTls, isInsecureAllowed }: Exposure): void {
  if (isLoopback(host)) return;
  const missing = [
    ...(hasTokens ? [] : ['it has no token']),
    ...(hasTls || isInsecureAllowed ? [] : ['it has neither TLS nor `--insecure`']),
  ];
  if (missing.length > 0) throw restErrors.create('MR-REST-EXPOSED', { host, missing: missing.join(', and ') });
}
