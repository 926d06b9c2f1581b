import {
  crc32c,
  ENVELOPE_HEADER_BYTES,
  envelopeHeader,
  envelopeTrailer,
  isMillraceError,
  type EnvelopeKind,
  type StateFile,
  type StateFileWriter,
} from '../../../core/index.ts';
import { checkFile, checksumText } from '../checked-file.ts';
import { ObjectScan, type ObjectSource } from './object-reader.ts';
import type { UploadedPart } from './object-store.ts';
import { UploadBody } from './upload-body.ts';

export interface NewObject extends ObjectSource {
  /** In the storage; used by nobody else, ever. */
  readonly name: string;
  readonly kind: EnvelopeKind;
}

/**
 * Writes one object: docs/design/010, Objects. What fits into one part goes up with one request; more as a multipart
 * upload, one part under way while the next is filled. Nobody sees the object before all of it is there.
 */
export class ObjectWriter implements StateFileWriter {
  readonly #target: NewObject;
  #body: UploadBody;
  /** Null as long as one part may do. */
  #uploadId: string | null = null;
  readonly #parts: UploadedPart[] = [];
  #partCount = 0;
  /** Settles when another part may go up; never rejects. */
  #uploading: Promise<void> = Promise.resolve();
  #failure: Error | null = null;
  #sizeBytes = 0;
  #checksum = 0;

  constructor(target: NewObject) {
    this.#target = target;
    this.#body = this.#newBody();
    this.#fill(envelopeHeader(target.kind));
  }

  async append(bytes: Uint8Array): Promise<number> {
    const position = this.#sizeBytes;
    for (let from = 0; from < bytes.length; ) {
      if (this.#failure !== null) throw this.#failure;
      // Only what is followed by something is a part that is not the last.
      if (this.#body.sizeBytes === this.#body.capacity) await this.#flush();
      from += this.#fill(bytes.subarray(from));
    }
    return position;
  }

  async finish(): Promise<StateFile> {
    const { store, place, name } = this.#target;
    try {
      await this.append(envelopeTrailer(this.#sizeBytes - ENVELOPE_HEADER_BYTES, this.#checksum));
      if (this.#partCount === 0) {
        this.#body.close();
        await store.put(place, this.#body);
      } else await this.#complete();
      const content = { sizeBytes: this.#sizeBytes, checksum: checksumText(this.#checksum) };
      await this.#readBack(content);
      return { name, ...content };
    } catch (error) {
      await this.#uploading;
      await this.#discard();
      throw await store.failure(error, 'write', place);
    }
  }

  async abort(): Promise<void> {
    await this.#uploading;
    await this.#discard();
  }

  #newBody(): UploadBody {
    const { partBytes, partsPerSize } = this.#target.limits;
    return new UploadBody(partBytes * 2 ** Math.floor(this.#partCount / partsPerSize));
  }

  /** As much as the body takes; returns how much that was. */
  #fill(bytes: Uint8Array): number {
    const count = this.#body.take(bytes);
    this.#checksum = crc32c(bytes.subarray(0, count), this.#checksum);
    this.#sizeBytes += count;
    return count;
  }

  /** Sends the part that is filled; waits only for the one before. */
  async #flush(): Promise<void> {
    await this.#uploading;
    if (this.#failure !== null) throw this.#failure;
    const { store, place } = this.#target;
    const body = this.#body;
    body.close();
    const number = ++this.#partCount;
    this.#body = this.#newBody();
    this.#uploading = this.#upload(number, body).catch(async (error: unknown) => {
      this.#failure = await store.failure(error, 'write', place);
    });
  }

  async #upload(number: number, body: UploadBody): Promise<void> {
    const { store, place } = this.#target;
    this.#uploadId ??= (await store.startUpload(place)).uploadId;
    this.#parts.push(await store.uploadPart(place, this.#uploadId, number, body));
  }

  async #complete(): Promise<void> {
    const { store, place } = this.#target;
    await this.#flush();
    await this.#uploading;
    if (this.#failure !== null) throw this.#failure;
    if (this.#uploadId === null) throw new Error('parts without an upload');
    await store.completeUpload(place, this.#uploadId, this.#parts);
    this.#uploadId = null;
  }

  async #readBack(content: Pick<StateFile, 'sizeBytes' | 'checksum'>): Promise<void> {
    const scan = new ObjectScan(this.#target);
    try {
      await checkFile(scan, this.#target.path, this.#target.kind, content);
    } catch (error) {
      // No damage that anybody has to mend: the object is not in use yet.
      if (!isMillraceError(error) || error.code !== 'MR-STATE-DAMAGED') throw error;
      throw new Error(`it does not read back as written: ${String(error.fields['reason'])}`);
    } finally {
      scan.close();
    }
  }

  /** What cannot be removed is found by a listing later. */
  async #discard(): Promise<void> {
    const { store, place } = this.#target;
    const uploadId = this.#uploadId;
    this.#uploadId = null;
    if (uploadId !== null) await store.abortUpload(place, uploadId).catch(() => undefined);
    await store.remove(place).catch(() => undefined);
  }
}
