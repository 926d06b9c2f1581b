import { splitId, types } from '../../core/index.ts';
import type {
  ConnectorContext,
  FileInfo,
  SourceConnector,
  SourceSpec,
  Split,
  SplitEnumerator,
} from '../../core/index.ts';
import { checkStreamFormat } from '../lines/stream-format.ts';
import { fileErrors } from './errors.ts';
import { FileReader } from './file-reader.ts';
import { fileSourceOptions, type FileSourceOptions } from './file-source-options.ts';

/** Lines of files: JSON, CSV or plain text. */
export const fileSource: SourceConnector = Object.freeze({
  kind: 'source',
  name: 'file',
  doc: 'Reads the records (lines) of files that match a glob.',
  options: fileSourceOptions,
  formatUse: 'required',
  example: 'path: "data/*.jsonl"\nformat: json',
  metadata: { path: types.string, offset: types.long },
  deadLetters: false,
  fixedSchema: () => null,
  isBounded: (given) => given['follow'] !== true,
  check: (spec) => checkStreamFormat(spec.format),
  createEnumerator: (spec, context) => new FileSplits(spec, context),
  createReader: (spec) => new FileReader(spec),
} satisfies SourceConnector);

class FileSplits implements SplitEnumerator {
  readonly discoveryIntervalMs: number | null;
  readonly #options: FileSourceOptions;
  readonly #context: ConnectorContext;
  readonly #known = new Set<string>();

  constructor(spec: SourceSpec, context: ConnectorContext) {
    this.#options = spec.options as FileSourceOptions;
    this.#context = context;
    this.discoveryIntervalMs = this.#options.follow ? this.#options.pollInterval : null;
  }

  async open(): Promise<void> {
    const { path, follow } = this.#options;
    if (!follow && (await this.#find()).length === 0) throw fileErrors.create('MR-FILE-NOT-FOUND', { path });
  }

  async discover(): Promise<readonly Split[]> {
    const found = (await this.#find()).filter(({ path }) => !this.#known.has(path));
    for (const { path } of found) this.#known.add(path);
    return found.map(({ path, inode }) => ({ id: splitId(path), position: { path, inode, offset: 0 }, racks: [] }));
  }

  /** A path that is a file is that file, whatever stars are in its name. */
  async #find(): Promise<readonly FileInfo[]> {
    const { files } = this.#context.ports;
    const { path } = this.#options;
    try {
      const file = await files.stat(path);
      return file === null ? await files.glob(path) : [file];
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw fileErrors.create('MR-FILE-READ', { path, problem }, error);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
