import type { FormatDefinition, RecordDecoder, SourceSpec } from '../../core/index.ts';
import { csvDialect, formatNamed } from '../formats/index.ts';
import { FileMetadata } from './file-metadata.ts';

/** How the files of one source are decoded. */
export class FileDecoding {
  readonly spec: SourceSpec;
  readonly format: FormatDefinition;
  /** Of the file that is being decoded. */
  readonly metadata: FileMetadata;
  /** Whether the first record of a file says how to read the others. */
  readonly hasHeader: boolean;
  #shared: RecordDecoder | null = null;

  constructor(spec: SourceSpec) {
    this.spec = spec;
    this.format = formatNamed(spec.format);
    this.metadata = new FileMetadata(spec);
    this.hasHeader = this.format.framing === 'csv' && csvDialect(spec.format?.options ?? {}).header;
  }

  /** One decoder for all files, so that it is generated and warmed up once; one per file where files differ. */
  decoder(): RecordDecoder {
    if (this.hasHeader) return this.format.createDecoder(this.spec, this.metadata);
    this.#shared ??= this.format.createDecoder(this.spec, this.metadata);
    return this.#shared;
  }
}
