import { defineOptions, formatType, isMillraceError, messageOf, sameType } from '../../core/index.ts';
import type {
  FileInfo,
  LookupConnector,
  LookupReader,
  LookupRow,
  LookupSpec,
  OptionProblem,
  OptionValues,
  Ports,
  TaskContext,
} from '../../core/index.ts';
import { csvDialect, formatNamed } from '../formats/index.ts';
import { checkStreamFormat, streamOptions } from '../lines/stream-format.ts';
import { fileErrors } from './errors.ts';
import { LookupTable } from './lookup-table.ts';

const options = defineOptions({
  path: {
    kind: 'string',
    required: true,
    doc: 'The file. Every subtask reads all of it into memory.',
    aliases: ['file'],
    scope: 'connector',
  },
  reload: {
    kind: 'duration',
    min: 1,
    doc: 'How often the file is looked at, and read again where it has changed. Without it, it is read once.',
    aliases: ['lookup.full-cache.periodic-reload.interval', 'refresh', 'pollInterval'],
    scope: 'connector',
  },
  maxSize: {
    kind: 'size',
    default: '256MiB',
    min: 1,
    doc: 'The largest file that is accepted.',
    scope: 'connector',
  },
  ...streamOptions,
});
type FileLookupOptions = OptionValues<typeof options>;

/** A table in a file: JSON lines or CSV. */
export const fileLookup: LookupConnector = Object.freeze({
  kind: 'lookup',
  name: 'file',
  doc: 'Looks rows up in a file, which is kept in memory.',
  options,
  formatUse: 'required',
  example: 'path: countries.csv\nformat: csv\nheader: true\nreload: 1m',
  check: checkFile,
  createReader: (spec) => new FileLookup(spec),
} satisfies LookupConnector);

function checkFile(spec: LookupSpec): readonly OptionProblem[] {
  const problems = [...checkStreamFormat(spec.format)];
  const isPositional =
    spec.format !== null &&
    formatNamed(spec.format).framing === 'csv' &&
    !csvDialect(spec.format.options).header;
  for (const { name, type } of spec.keys.fields) {
    const declared = spec.schema.fields.find((field) => field.name === name);
    if (declared !== undefined && !sameType(declared.type, type)) {
      const message = `\`${name}\` is ${formatType(declared.type)} in \`schema\` and ${formatType(type)} in \`on\``;
      problems.push({ path: [], what: 'invalid', message, suggestion: null });
    } else if (declared === undefined && isPositional) {
      const message = `without \`header: true\`, \`schema\` names all columns of the file in order, \`${name}\` too`;
      problems.push({ path: ['format'], what: 'invalid', message, suggestion: null });
    }
  }
  return problems;
}

class FileLookup implements LookupReader {
  readonly batchSize = 1024;
  readonly #spec: LookupSpec;
  readonly #options: FileLookupOptions;
  #ports: Ports | null = null;
  #context: TaskContext | null = null;
  #table: LookupTable | null = null;
  #loaded: FileInfo | null = null;
  #nextLookMs = Infinity;
  #reloading: Promise<void> | null = null;

  constructor(spec: LookupSpec) {
    this.#spec = spec;
    this.#options = spec.options as FileLookupOptions;
  }

  async open(context: TaskContext): Promise<void> {
    this.#ports = context.ports;
    this.#context = context;
    const { path } = this.#options;
    try {
      const found = await context.ports.files.stat(path);
      if (found === null) throw fileErrors.create('MR-FILE-NOT-FOUND', { path });
      await this.#load(found);
    } catch (error) {
      if (isMillraceError(error)) throw error;
      throw fileErrors.create('MR-FILE-READ', { path, problem: messageOf(error) }, error);
    }
  }

  async lookup(keys: readonly LookupRow[]): Promise<readonly (readonly LookupRow[])[]> {
    const { clock } = this.#ports as Ports;
    if (clock.monotonicMs() >= this.#nextLookMs) {
      this.#reloading ??= this.#reload().finally(() => {
        this.#reloading = null;
      });
      await this.#reloading;
    }
    const table = this.#table as LookupTable;
    return keys.map((key) => table.find(key));
  }

  close(): Promise<void> {
    this.#table = null;
    return Promise.resolve();
  }

  /** Where the file is gone (it may be about to be replaced), what it last held still counts. */
  async #reload(): Promise<void> {
    const { path } = this.#options;
    try {
      const found = await (this.#ports as Ports).files.stat(path);
      if (found === null || isSame(found, this.#loaded)) this.#lookLater();
      else await this.#load(found);
    } catch (error) {
      throw fileErrors.create('MR-FILE-LOOKUP', { path, problem: messageOf(error) }, error);
    }
  }

  async #load(found: FileInfo): Promise<void> {
    const { path, maxSize, maxRecord } = this.#options;
    if (found.sizeBytes > maxSize) {
      const problem = `it has ${found.sizeBytes} bytes, more than \`maxSize\` (${maxSize})`;
      throw fileErrors.create('MR-FILE-READ', { path, problem });
    }
    const table = new LookupTable(this.#spec, { path, maxRecordBytes: maxRecord, limitBytes: maxSize });
    await table.read(this.#context as TaskContext);
    this.#table = table;
    this.#loaded = found;
    this.#lookLater();
  }

  #lookLater(): void {
    const { reload } = this.#options;
    this.#nextLookMs = reload === null ? Infinity : (this.#ports as Ports).clock.monotonicMs() + reload;
  }
}

function isSame(a: FileInfo, b: FileInfo | null): boolean {
  return b !== null && a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs;
}
