/** Who may do what: bearer tokens with roles, and what pages of other sites may not do through a browser. */
import { createHash, timingSafeEqual } from 'node:crypto';

import { restErrors } from './errors.ts';
import { isLoopback } from './exposure.ts';

/** Each role may do what those before it may. */
const ROLES = ['view', 'operate', 'deploy'] as const;
export type Role = (typeof ROLES)[number];

/** Null for a role that nobody has by a token of its own. */
export type RestTokens = Readonly<Record<Role, string | null>>;

export interface RequestHeaders {
  readonly authorization?: string | undefined;
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
}

/** Decides about requests. `tokens` null lets everybody in who can connect: for loopback alone. */
export class Access {
  readonly #digests: readonly { readonly role: Role; readonly digest: Buffer }[] | null;

  constructor(tokens: RestTokens | null) {
    this.#digests =
      tokens === null
        ? null
        : ROLES.flatMap((role) => {
            const token = tokens[role];
            return token === null || token === '' ? [] : [{ role, digest: digestOf(token) }];
          });
  }

  /** Throws MR-REST-UNAUTHORIZED or MR-REST-FORBIDDEN. `needed` null: everybody may, but for other sites' pages. */
  check(headers: RequestHeaders, needed: Role | null): void {
    checkOrigin(headers, this.#digests === null);
    if (this.#digests === null || needed === null) return;
    const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    if (given === undefined) {
      throw restErrors.create('MR-REST-UNAUTHORIZED', { reason: 'the request has none' });
    }
    const role = this.#roleOf(given);
    if (role === null) throw restErrors.create('MR-REST-UNAUTHORIZED', { reason: 'it is not known' });
    if (ROLES.indexOf(role) < ROLES.indexOf(needed)) {
      throw restErrors.create('MR-REST-FORBIDDEN', { reason: `it takes a token for ${needed}, not for ${role}` });
    }
  }

  /** Takes as long whatever the token is: all of them are compared, as digests of one length. */
  #roleOf(token: string): Role | null {
    const given = digestOf(token);
    let found: Role | null = null;
    for (const { role, digest } of this.#digests ?? []) if (timingSafeEqual(digest, given)) found = role;
    return found;
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * A page of another site can make a browser send requests here: with no token needed, only the browser's own words tell
 * them apart. Names other than loopback's may be another site's that was made to mean this machine (DNS rebinding).
 */
function checkOrigin(headers: RequestHeaders, isOpen: boolean): void {
  const site = headers['sec-fetch-site'];
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none';
  const { origin, host } = headers;
  const isOtherOrigin = origin !== undefined && hostOf(origin) !== (host ?? '').toLowerCase();
  if (isForeign || isOtherOrigin) {
    throw restErrors.create('MR-REST-FORBIDDEN', { reason: 'the request comes from a page of another site' });
  }
  if (isOpen && host !== undefined && !isLoopback(host.replace(/:\d+$/, ''))) {
    throw restErrors.create('MR-REST-FORBIDDEN', { reason: 'without tokens this is for localhost by name' });
  }
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host.toLowerCase() : null;
}
