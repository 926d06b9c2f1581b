/** The bytes of RFC 4648 base64, padding optional; null where the text is none. */
export function decodeBase64(text: string): Uint8Array | null {
  const bare = text.replace(/={1,2}$/, '');
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1) return null;
  if (bare.length !== text.length && text.length % 4 !== 0) return null;
  return new Uint8Array(Buffer.from(bare, 'base64'));
}
