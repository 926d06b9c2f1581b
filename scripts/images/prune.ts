/* What packages bring along that no program reads. */

/** Directly in the folder of a package; deeper down they may be code. */
const UNREAD_FOLDERS = /^(?:tests?|docs?|examples?|benchmarks?|bench|\.github|dist-types)$/;
const UNREAD_FILES = /\.(?:d\.[cm]?ts|map|md|markdown|bare|cc|yml)$|^\.[a-z]+(?:ignore|rc|attributes)$/i;
const NATIVE_FOLDER = /\/prebuilds\/([^/]+)$/;

/**
 * Whether a file or folder of `node_modules` goes into an image for the platform, such as `linux-x64`. The path begins
 * behind `node_modules/`.
 */
export function isRead(path: string, isFolder: boolean, platform: string): boolean {
  const names = path.split('/');
  const name = names.at(-1) ?? '';
  if (!isFolder) return !UNREAD_FILES.test(name);
  const prebuilt = NATIVE_FOLDER.exec(path)?.[1];
  if (prebuilt !== undefined) return prebuilt === platform;
  const last = names.lastIndexOf('node_modules');
  const inPackage = names.slice(last + 1);
  const depth = (inPackage[0] ?? '').startsWith('@') ? 2 : 1;
  return inPackage.length !== depth + 1 || !UNREAD_FOLDERS.test(name);
}
