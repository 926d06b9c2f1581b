/** The option `tls` of connectors that talk to a service. */
import { messageOf, nearestName } from '../core/index.ts';
import type { FileSystem, OptionRow, OptionValue, TlsSettings } from '../core/index.ts';

export type Mapping = Readonly<Record<string, OptionValue>>;

const TLS_KEYS = ['ca', 'cert', 'key', 'passphrase', 'serverName', 'verify'] as const;

export const tlsOption = {
  kind: 'any',
  default: false,
  doc: 'true, or a mapping of `ca`, `cert`, `key` (PEM, or files with it), `passphrase`, `serverName`, `verify`',
  aliases: ['ssl', 'security.protocol', 'ssl.truststore.location', 'ssl.ca.location', 'ssl.keystore.location'],
  secret: true,
  validate: tlsProblem,
} as const satisfies OptionRow;

/** Null for plain text. PEM text, or the path of a file that holds it: loadPem() reads those. */
export function tlsSettings(value: OptionValue): TlsSettings | null {
  if (value === false || value === 'false') return null;
  const given: Mapping = isMapping(value) ? value : {};
  const text = (key: string) => (typeof given[key] === 'string' ? given[key] : null);
  return {
    ca: text('ca'),
    cert: text('cert'),
    key: text('key'),
    passphrase: text('passphrase'),
    serverName: text('serverName'),
    verify: given['verify'] !== false && given['verify'] !== 'false',
  };
}

/** Reads what is given as the path of a file; `fail` makes the error where that cannot be read. */
export async function loadPem(
  tls: TlsSettings,
  files: FileSystem,
  fail: (reason: string, cause: unknown) => Error,
): Promise<TlsSettings> {
  const load = async (what: 'ca' | 'cert' | 'key') => {
    const given = tls[what];
    if (given === null || given.includes('-----BEGIN')) return given;
    try {
      return await files.readText(given);
    } catch (error) {
      throw fail(`cannot read \`tls.${what}\` from ${given}: ${messageOf(error)}`, error);
    }
  };
  const [ca, cert, key] = await Promise.all([load('ca'), load('cert'), load('key')]);
  return { ...tls, ca, cert, key };
}

export function isMapping(value: OptionValue): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tlsProblem(value: OptionValue): string | null {
  if (typeof value === 'boolean' || value === 'true' || value === 'false') return null;
  if (!isMapping(value)) return `must be true, false, or a mapping of ${TLS_KEYS.join(', ')}`;
  const unknown = unknownKey(value, TLS_KEYS);
  if (unknown !== null) return unknown;
  const wrong = Object.entries(value).find(
    ([key, v]) => typeof v !== 'string' && !(key === 'verify' && typeof v === 'boolean'),
  );
  if (wrong !== undefined) return `has a \`${wrong[0]}\` that is not text`;
  const verify = value['verify'];
  if (typeof verify === 'string' && verify !== 'true' && verify !== 'false') {
    return 'has a `verify` that is not true or false';
  }
  return (value['cert'] === undefined) === (value['key'] === undefined) ? null : 'needs `cert` and `key` together';
}

export function unknownKey(value: Mapping, known: readonly string[]): string | null {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return null;
  const near = nearestName(unknown, known);
  const hint = near === null ? `; known: ${known.join(', ')}` : `; did you mean \`${near}\`?`;
  return `has an unknown \`${unknown}\`${hint}`;
}
