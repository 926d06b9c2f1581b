import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { systemErrorCode, type Ports } from '../core/index.ts';
import type { CodeFile } from '../graph/index.ts';

/** Finds the files that steps name, relative to the folder of their job file. */
export function codeFinder({ files }: Pick<Ports, 'files'>, jobFile: string): (path: string) => Promise<CodeFile> {
  const folder = dirname(jobFile);
  return async (path) => {
    const file = isAbsolute(path) ? path : join(folder, path);
    const { href: url } = pathToFileURL(resolve(file));
    try {
      return { url, text: await files.readText(file) };
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return { url, text: null };
      throw error;
    }
  };
}
