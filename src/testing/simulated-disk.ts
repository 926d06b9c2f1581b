/**
 * A disk in memory that can fill up, fail at any operation and lose power. What was not made durable may then be
 * there, be gone, or be there in part: contents that were not synced, and changes of names in directories that were
 * not synced, each for itself, but that a rename happens wholly or not at all.
 */
import { posix } from 'node:path';

import type { FileInfo, FileLock, FileSystem, OpenFile } from '../core/index.ts';

interface FileNode {
  readonly kind: 'file';
  readonly inode: number;
  content: Uint8Array;
  durable: Uint8Array;
  lockedBy: MountedDisk | null;
}

interface DirectoryNode {
  readonly kind: 'directory';
  entries: Map<string, DiskNode>;
  durable: Map<string, DiskNode>;
  /** Changes since the last sync, in order. */
  pending: ((entries: Map<string, DiskNode>) => void)[];
}

type DiskNode = FileNode | DirectoryNode;

export interface DiskOperation {
  /** Counted from 0 over the life of the disk. */
  readonly index: number;
  readonly name: 'open' | 'read' | 'append' | 'sync' | 'sync-directory' | 'rename' | 'remove' | 'make-directory';
  readonly path: string;
}

/** May throw: `before` the operation is then not done, `after` it is done and its answer lost. */
export type DiskHook = (operation: DiskOperation, phase: 'before' | 'after') => void;

export class SimulatedDisk {
  #root = newDirectory();
  #inodes = 0;
  #operations = 0;
  #mounts: MountedDisk[] = [];
  /** Called around every operation. */
  hook: DiskHook | null = null;
  /** Contents of all files together; what goes beyond is refused with ENOSPC, after what fits was written. */
  capacityBytes = Infinity;

  get operations(): number {
    return this.#operations;
  }

  /** The file system as a new process sees it. */
  mount(): MountedDisk {
    const mounted = new MountedDisk(this, this.#mounts.length + 1);
    this.#mounts.push(mounted);
    return mounted;
  }

  /** Ends all processes and keeps what is durable, and of the rest what chance says; the same for the same seed. */
  losePower(seed: number): void {
    const random = seededRandom(seed);
    for (const mounted of this.#mounts) mounted.kill();
    this.hook = null;
    const recover = (directory: DirectoryNode): DirectoryNode => {
      for (const change of directory.pending) {
        if (random() < 0.5) change(directory.durable);
      }
      const entries = [...directory.durable].map(([name, node]): [string, DiskNode] => [
        name,
        node.kind === 'directory' ? recover(node) : this.#newFile(contentAfterLoss(node, random)),
      ]);
      return { kind: 'directory', entries: new Map(entries), durable: new Map(entries), pending: [] };
    };
    this.#root = recover(this.#root);
  }

  /** Paths of all files, sorted. */
  paths(): readonly string[] {
    const found: string[] = [];
    const visit = (directory: DirectoryNode, path: string): void => {
      for (const [name, node] of directory.entries) {
        if (node.kind === 'file') found.push(`${path}/${name}`);
        else visit(node, `${path}/${name}`);
      }
    };
    visit(this.#root, '');
    return found.sort();
  }

  /** A copy of what a file holds. */
  peek(path: string): Uint8Array {
    return Uint8Array.from(this.file(path).content);
  }

  /** Replaces what a file holds, durably: the disk's own doing. */
  poke(path: string, bytes: Uint8Array): void {
    const file = this.file(path);
    file.content = file.durable = Uint8Array.from(bytes);
  }

  find(path: string): DiskNode | null {
    let node: DiskNode = this.#root;
    for (const name of posix.normalize(path).split('/').filter((part) => part !== '')) {
      if (node.kind !== 'directory') throw systemError('ENOTDIR', path);
      const next = node.entries.get(name);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  file(path: string): FileNode {
    const node = this.find(path);
    if (node === null) throw systemError('ENOENT', path);
    if (node.kind === 'directory') throw systemError('EISDIR', path);
    return node;
  }

  directory(path: string): DirectoryNode {
    const node = this.find(path);
    if (node === null) throw systemError('ENOENT', path);
    if (node.kind === 'file') throw systemError('ENOTDIR', path);
    return node;
  }

  create(path: string): FileNode {
    const created = this.#newFile(new Uint8Array());
    this.change(path, (entries, name) => entries.set(name, created));
    return created;
  }

  makeDirectory(path: string): void {
    const parent = posix.dirname(path);
    if (this.find(parent) === null) this.makeDirectory(parent);
    if (this.find(path) !== null) return;
    const created = newDirectory();
    this.change(path, (entries, name) => entries.set(name, created));
  }

  /** Changes the directory in which `path` is, now, and durably with its next sync. */
  change(path: string, change: (entries: Map<string, DiskNode>, name: string) => void): void {
    const directory = this.directory(posix.dirname(path));
    const apply = (entries: Map<string, DiskNode>): void => change(entries, posix.basename(path));
    apply(directory.entries);
    directory.pending.push(apply);
  }

  append(file: FileNode, bytes: Uint8Array, path: string): void {
    const used = this.paths().reduce((sum, each) => sum + this.file(each).content.length, 0);
    const fitting = Math.min(bytes.length, Math.max(0, this.capacityBytes - used));
    file.content = Buffer.concat([file.content, bytes.subarray(0, fitting)]);
    if (fitting < bytes.length) throw systemError('ENOSPC', path);
  }

  begin(name: DiskOperation['name'], path: string): DiskOperation {
    const operation = { index: this.#operations++, name, path };
    this.hook?.(operation, 'before');
    return operation;
  }

  #newFile(content: Uint8Array): FileNode {
    return { kind: 'file', inode: ++this.#inodes, content, durable: content, lockedBy: null };
  }
}

/** In [0, 1): a linear congruential generator with a mixed output (PCG-like; quality matters little here). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0) / 2 ** 32;
  };
}

function newDirectory(): DirectoryNode {
  return { kind: 'directory', entries: new Map(), durable: new Map(), pending: [] };
}

function contentAfterLoss({ content, durable }: FileNode, random: () => number): Uint8Array {
  if (content === durable) return content;
  const kept = Math.floor(random() * (content.length + 1));
  const outcomes = [
    () => durable,
    () => content,
    () => content.slice(0, kept),
    // The size was stored, the blocks were not.
    () => Uint8Array.from(content).fill(0, Math.max(kept, commonLength(content, durable))),
  ];
  return (outcomes[Math.floor(random() * outcomes.length)] ?? (() => durable))();
}

function commonLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++;
  return length;
}

export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, '${path}'`), { code });
}

/** One process's view of the disk. */
export class MountedDisk {
  readonly processId: number;
  readonly files: FileSystem;
  readonly #disk: SimulatedDisk;
  #isAlive = true;

  constructor(disk: SimulatedDisk, processId: number) {
    this.#disk = disk;
    this.processId = processId;
    this.files = this.#fileSystem();
  }

  /** Ends the process: its locks are free, and what it still asks for is refused. */
  kill(): void {
    this.#isAlive = false;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  async #run<T>(name: DiskOperation['name'], path: string, act: () => T): Promise<T> {
    // Others have their turn between any two operations, as with a real disk.
    await Promise.resolve();
    if (!this.#isAlive) throw systemError('EIO', path);
    const operation = this.#disk.begin(name, path);
    const result = act();
    this.#disk.hook?.(operation, 'after');
    return result;
  }

  #fileSystem(): FileSystem {
    const disk = this.#disk;
    return {
      readText: (path) => this.#run('read', path, () => Buffer.from(disk.file(path).content).toString('utf8')),
      writeText: async (path, text) => {
        const file = await this.#open(path, 'create');
        await file.append(Buffer.from(text));
      },
      open: (path, mode) => this.#open(path, mode),
      stat: (path) => this.#run('read', path, () => this.#stat(path)),
      glob: (pattern) => Promise.reject(new Error(`a simulated disk has no glob: ${pattern}`)),
      list: (path) =>
        this.#run('read', path, () => (disk.find(path) === null ? [] : [...disk.directory(path).entries.keys()])),
      makeDirectory: (path) => this.#run('make-directory', path, () => disk.makeDirectory(path)),
      syncDirectory: (path) =>
        this.#run('sync-directory', path, () => {
          const directory = disk.directory(path);
          for (const change of directory.pending.splice(0)) change(directory.durable);
        }),
      removeEmptyDirectory: (path) =>
        this.#run('remove', path, () => {
          if (disk.find(path) === null || disk.directory(path).entries.size > 0) return;
          disk.change(path, (entries, name) => entries.delete(name));
        }),
      rename: (from, to) => this.#run('rename', to, () => this.#rename(from, to)),
      lock: (path) => this.#run('open', path, () => this.#lock(path)),
      remove: (path) =>
        this.#run('remove', path, () => {
          if (disk.find(path) !== null) disk.change(path, (entries, name) => entries.delete(name));
        }),
    };
  }

  #stat(path: string): FileInfo | null {
    const node = this.#disk.find(path);
    if (node?.kind !== 'file') return null;
    return { path, sizeBytes: node.content.length, modifiedMs: 0, inode: node.inode };
  }

  #rename(from: string, to: string): void {
    const moved = this.#disk.file(from);
    if (posix.dirname(from) !== posix.dirname(to)) throw systemError('EXDEV', to);
    this.#disk.change(to, (entries, name) => {
      entries.set(name, moved);
      entries.delete(posix.basename(from));
    });
  }

  #lock(path: string): FileLock | { readonly heldBy: number | null } {
    const disk = this.#disk;
    const node = disk.find(path) === null ? disk.create(path) : disk.file(path);
    if (node.lockedBy?.isAlive === true) return { heldBy: node.lockedBy.processId };
    node.lockedBy = this;
    return {
      isHeld: () => this.#run('read', path, () => node.lockedBy === this && disk.find(path) === node),
      release: () => {
        if (node.lockedBy === this) node.lockedBy = null;
        return Promise.resolve();
      },
    };
  }

  async #open(path: string, mode: 'read' | 'append' | 'create' | 'create-new'): Promise<OpenFile> {
    const disk = this.#disk;
    const node = await this.#run('open', path, () => {
      const found = disk.find(path);
      if (found !== null && mode === 'create-new') throw systemError('EEXIST', path);
      const file = found === null && mode !== 'read' ? disk.create(path) : disk.file(path);
      if (mode === 'create') file.content = new Uint8Array();
      return file;
    });
    return {
      read: (buffer, length, position) =>
        this.#run('read', path, () => {
          const bytes = node.content.subarray(position, position + length);
          buffer.set(bytes);
          return bytes.length;
        }),
      append: (bytes) => this.#run('append', path, () => disk.append(node, bytes, path)),
      sync: () =>
        this.#run('sync', path, () => {
          node.durable = node.content;
        }),
      close: () => Promise.resolve(),
    };
  }
}
