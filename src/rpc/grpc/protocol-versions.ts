/** A range of versions of the protocol between processes. */
export interface ProtocolVersions {
  readonly oldest: number;
  readonly newest: number;
}

/** What this release speaks. */
export const protocolVersions: ProtocolVersions = { oldest: 1, newest: 1 };

/** The newest that both speak; null where there is none. */
export function commonVersion(own: ProtocolVersions, other: ProtocolVersions): number | null {
  const newest = Math.min(own.newest, other.newest);
  return newest >= Math.max(own.oldest, other.oldest) ? newest : null;
}
