/**
 * Code that came with jobs, in files of this machine (docs/design/023): fetched from the leader by its hash, once for
 * all slots, checked, and written below the TaskManager's work directory. What no slot uses any more stays for a while,
 * as a job that restarts needs it again.
 */
import { pathToFileURL } from 'node:url';

import { messageOf, parseCodeUrl, readBundle, type FileSystem } from '../core/index.ts';
import type { ChainNode } from '../graph/index.ts';
import { jobCodeAddress, type RpcTransport, type SliceDescriptor } from '../rpc/index.ts';
import { taskErrors } from './errors.ts';

export interface JobCodeCacheOptions {
  /** Null where there is no place for files: jobs with code are refused. */
  readonly directory: string | null;
  readonly rpc: Pick<RpcTransport, 'connect'>;
  readonly files: FileSystem;
}

interface CachedCode {
  readonly hash: string;
  /** Resolves to the folder, once all files are there. */
  readonly folder: Promise<string>;
  slots: number;
}

/** How many are kept that no slot uses. */
const KEPT = 8;

export class JobCodeCache {
  readonly #options: JobCodeCacheOptions;
  /** By hash, those that were used last at the end. */
  readonly #known = new Map<string, CachedCode>();
  readonly #used = new WeakMap<SliceDescriptor, readonly CachedCode[]>();
  /** Each folder has a name of its own: one may be removed while another is written. */
  #folders = 0;

  constructor(options: JobCodeCacheOptions) {
    this.#options = options;
  }

  /**
   * The slice with URLs of files instead of those of code that came with its job; null where it names none of that.
   * Rejects with MR-TASK-NO-CODE. release() is to be called once its thread is gone, whatever came of it.
   */
  localise(slice: SliceDescriptor): Promise<SliceDescriptor> | null {
    const hashes = hashesOf(slice);
    if (hashes.length === 0) return null;
    const used = hashes.map((hash) => this.#use(hash, slice));
    this.#used.set(slice, used);
    const folders = used.map(async ({ hash, folder }) => [hash, await folder] as const);
    return Promise.all(folders).then((found) => withFiles(slice, new Map(found)));
  }

  /** Resolves when what is not kept is removed. */
  async release(slice: SliceDescriptor): Promise<void> {
    for (const code of this.#used.get(slice) ?? []) code.slots--;
    this.#used.delete(slice);
    const unused = [...this.#known.values()].filter(({ slots }) => slots === 0);
    for (const { hash, folder } of unused.slice(0, Math.max(0, unused.length - KEPT))) {
      this.#known.delete(hash);
      const path = await folder.catch(() => null);
      if (path !== null) await this.#options.files.remove(path);
    }
  }

  #use(hash: string, slice: SliceDescriptor): CachedCode {
    const code = this.#known.get(hash) ?? { hash, folder: this.#fetch(hash, slice), slots: 0 };
    code.slots++;
    this.#known.delete(hash);
    this.#known.set(hash, code);
    // The next one that needs it tries again.
    code.folder.catch(() => {
      if (this.#known.get(hash) === code) this.#known.delete(hash);
    });
    return code;
  }

  async #fetch(hash: string, { jobId, epoch, jobName, jobMasterAddress }: SliceDescriptor): Promise<string> {
    const { directory, rpc, files } = this.#options;
    try {
      if (directory === null) throw new Error('this TaskManager has no work directory');
      const leader = rpc.connect('job-code', jobCodeAddress(jobMasterAddress));
      const { text } = await leader.readCode({ epoch, jobId, hash });
      const reading = readBundle(text, hash);
      if (reading.kind === 'refused') throw new Error(`what was sent is damaged: ${reading.reason}`);
      const folder = `${directory}/code/${this.#folders++}-${hash.slice(0, 16)}`;
      for (const [path, content] of reading.bundle.files) {
        const file = `${folder}/${path}`;
        await files.makeDirectory(file.slice(0, file.lastIndexOf('/')));
        await files.writeText(file, content);
      }
      return folder;
    } catch (error) {
      throw taskErrors.create('MR-TASK-NO-CODE', { job: jobName, reason: messageOf(error) }, error);
    }
  }
}

function hashesOf({ tasks }: SliceDescriptor): readonly string[] {
  const urls = tasks.flatMap(({ vertex }) => vertex.chain.map(moduleOf)).filter((url) => url !== null);
  return [...new Set(urls.flatMap((url) => parseCodeUrl(url)?.hash ?? []))];
}

/** Where the code of a step is; null for steps without any. */
function moduleOf(node: ChainNode): string | null {
  return node.kind === 'process' || node.kind === 'lookup' ? (node.code?.module ?? null) : null;
}

function withFiles(slice: SliceDescriptor, folders: ReadonlyMap<string, string>): SliceDescriptor {
  const tasks = slice.tasks.map((task) => {
    const { vertex } = task;
    return { ...task, vertex: { ...vertex, chain: vertex.chain.map((node) => nodeWithFiles(node, folders)) } };
  });
  return { ...slice, tasks };
}

function nodeWithFiles(node: ChainNode, folders: ReadonlyMap<string, string>): ChainNode {
  const address = parseCodeUrl(moduleOf(node) ?? '');
  const folder = address === null ? undefined : folders.get(address.hash);
  if (address === null || folder === undefined) return node;
  const module = pathToFileURL(`${folder}/${address.file}`).href;
  if (node.kind === 'process') return { ...node, code: { ...node.code, module } };
  return node.kind === 'lookup' && node.code !== null ? { ...node, code: { ...node.code, module } } : node;
}
