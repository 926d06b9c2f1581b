/** The requests that checkpoints need, on one service. All of them try again what may pass by itself. */
import { Readable } from 'node:stream';

import type { ListMultipartUploadsCommandOutput as UploadsPage } from '@aws-sdk/client-s3';

import type { Ports, S3Access } from '../../../core/index.ts';
import { s3Url } from '../../../core/index.ts';
import { Patience, type Attempt } from './patience.ts';
import { endpointOf, loadClient, type LoadedClient } from './s3-client.ts';
import { CutShortError, faultOf, s3Failure } from './s3-fault.ts';
import type { S3Limits } from './s3-limits.ts';
import type { UploadBody } from './upload-body.ts';

export interface ObjectPlace {
  readonly bucket: string;
  readonly key: string;
}

/** What an object was when it was looked at: another one of its name has another tag. */
export interface ObjectIdentity {
  readonly etag: string | null;
}

export interface UploadedPart {
  readonly PartNumber: number;
  readonly ETag?: string;
  readonly ChecksumCRC32C?: string;
}

export interface StartedUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** Where a listing of uploads goes on. */
interface UploadMarker {
  readonly KeyMarker?: string;
  readonly UploadIdMarker?: string;
}

export interface ObjectBody extends ObjectIdentity {
  readonly stream: Readable;
  /** From where the stream begins to the end of what was asked for; null where that is not said. */
  readonly length: number | null;
}

export interface ObjectRange {
  readonly position: number;
  /** Null for all that follows. */
  readonly length: number | null;
  /** It must still be that one; null where any will do. */
  readonly identity: ObjectIdentity | null;
}

export interface Listing {
  /** Keys, those of `delimiter` groups left out. */
  readonly keys: readonly string[];
  /** What keys have in common up to the delimiter, the delimiter included. */
  readonly groups: readonly string[];
}

export type StorePorts = Pick<Ports, 'clock' | 'randomness'>;

const CONTENT_TYPE = 'application/octet-stream';

export class ObjectStore {
  readonly patience: Patience;
  readonly #access: S3Access;
  #loading: Promise<LoadedClient> | null = null;
  /** False once the service has said that it does not know conditions and checksums of uploads. */
  #hasExtras = true;

  constructor(access: S3Access, limits: S3Limits, { clock, randomness }: StorePorts) {
    this.#access = access;
    this.patience = new Patience(limits, clock, randomness);
  }

  /** Loads the client ahead of the first request: that takes the thread some tenths of a second. */
  prepare(): void {
    // Whoever asks for something is told.
    this.#load().catch(() => undefined);
  }

  /** Writes an object that must not be there yet. An attempt of which nobody knows the outcome counts as done. */
  async put(place: ObjectPlace, body: UploadBody): Promise<void> {
    await this.#request('write', place, async ({ client, module }, attempt) => {
      await this.#withExtras(async (hasExtras) => {
        const command = new module.PutObjectCommand({
          ...namesOf(place),
          Body: body.stream(),
          ContentLength: body.sizeBytes,
          ContentType: CONTENT_TYPE,
          ...(hasExtras ? { IfNoneMatch: '*', ChecksumCRC32C: body.crc32cBase64 } : {}),
        });
        await client.send(command, { abortSignal: attempt.signal });
      }).catch(tolerate(attempt, 'precondition'));
    });
  }

  startUpload(place: ObjectPlace): Promise<StartedUpload> {
    return this.#request('write', place, ({ client, module }, { signal }) =>
      this.#withExtras(async (hasExtras) => {
        const { UploadId: uploadId } = await client.send(
          new module.CreateMultipartUploadCommand({
            ...namesOf(place),
            ContentType: CONTENT_TYPE,
            ...(hasExtras ? { ChecksumAlgorithm: 'CRC32C' as const } : {}),
          }),
          { abortSignal: signal },
        );
        if (uploadId === undefined) throw new CutShortError('an upload without an id');
        return { key: place.key, uploadId };
      }),
    );
  }

  uploadPart(place: ObjectPlace, uploadId: string, number: number, body: UploadBody): Promise<UploadedPart> {
    return this.#request('write', place, ({ client, module }, { signal }) =>
      this.#withExtras(async (hasExtras) => {
        const checksum = hasExtras ? { ChecksumCRC32C: body.crc32cBase64 } : {};
        const command = new module.UploadPartCommand({
          ...namesOf(place),
          UploadId: uploadId,
          PartNumber: number,
          Body: body.stream(),
          ContentLength: body.sizeBytes,
          ...checksum,
        });
        const { ETag: etag } = await client.send(command, { abortSignal: signal });
        return { PartNumber: number, ...(etag === undefined ? {} : { ETag: etag }), ...checksum };
      }),
    );
  }

  /** As put(): the object must not be there yet. */
  async completeUpload(place: ObjectPlace, uploadId: string, parts: readonly UploadedPart[]): Promise<void> {
    await this.#request('write', place, async ({ client, module }, attempt) => {
      await this.#withExtras(async (hasExtras) => {
        const command = new module.CompleteMultipartUploadCommand({
          ...namesOf(place),
          UploadId: uploadId,
          MultipartUpload: { Parts: parts.map((part) => (hasExtras ? part : withoutChecksum(part))) },
          ...(hasExtras ? { IfNoneMatch: '*' } : {}),
        });
        await client.send(command, { abortSignal: attempt.signal });
      }).catch(tolerate(attempt, 'precondition', 'no-upload'));
    });
  }

  /** Harmless where there is none of this id. */
  async abortUpload(place: ObjectPlace, uploadId: string): Promise<void> {
    await this.#request('remove', place, async ({ client, module }, { signal }) => {
      const command = new module.AbortMultipartUploadCommand({ ...namesOf(place), UploadId: uploadId });
      await client.send(command, { abortSignal: signal }).catch(tolerating('no-upload', 'no-key'));
    });
  }

  /** Uploads under way, or left behind, of all keys that begin so; null where the service does not tell. */
  async listUploads({ bucket, key: prefix }: ObjectPlace): Promise<readonly StartedUpload[] | null> {
    const found: StartedUpload[] = [];
    for (let from: UploadMarker | null = {}; from !== null; ) {
      const marker: UploadMarker = from;
      const page = await this.#pageOfUploads({ bucket, key: prefix }, marker);
      if (page === undefined) return null;
      for (const { Key: key, UploadId: uploadId } of page.Uploads ?? []) {
        if (key?.startsWith(prefix) === true && uploadId !== undefined) found.push({ key, uploadId });
      }
      const { IsTruncated: isTruncated, NextKeyMarker: keyMarker, NextUploadIdMarker: idMarker } = page;
      from =
        isTruncated === true && keyMarker !== undefined
          ? { KeyMarker: keyMarker, ...(idMarker === undefined ? {} : { UploadIdMarker: idMarker }) }
          : null;
    }
    return found;
  }

  #pageOfUploads({ bucket, key }: ObjectPlace, marker: UploadMarker): Promise<UploadsPage | undefined> {
    return this.#request('list', { bucket, key }, ({ client, module }, { signal }) =>
      client
        .send(new module.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, ...marker }), {
          abortSignal: signal,
        })
        // Some services lack it, and it takes a permission of its own. Nothing but tidiness depends on it.
        .catch(tolerating('denied', 'unsupported')),
    );
  }

  /** Null where the object has nothing there. */
  open(place: ObjectPlace, range: ObjectRange): Promise<ObjectBody | null> {
    const { position, length, identity } = range;
    return this.#request('read', place, async ({ client, module }, { signal }) => {
      const end = length === null ? '' : String(position + length - 1);
      const command = new module.GetObjectCommand({
        ...namesOf(place),
        ...(position === 0 && length === null ? {} : { Range: `bytes=${position}-${end}` }),
        ...(identity?.etag == null ? {} : { IfMatch: identity.etag }),
      });
      const answer = await client.send(command, { abortSignal: signal }).catch(tolerating('range'));
      if (answer === undefined) return null;
      if (!(answer.Body instanceof Readable)) throw new CutShortError('an answer without a body');
      return { stream: answer.Body, length: answer.ContentLength ?? null, etag: answer.ETag ?? null };
    });
  }

  /** Page by page. */
  async *list({ bucket, key: prefix }: ObjectPlace, delimiter: string | null): AsyncGenerator<Listing> {
    let token: string | undefined;
    do {
      const from = token === undefined ? {} : { ContinuationToken: token };
      const page = await this.#request('list', { bucket, key: prefix }, ({ client, module }, { signal }) =>
        client.send(
          new module.ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(delimiter === null ? {} : { Delimiter: delimiter }),
            ...from,
          }),
          { abortSignal: signal },
        ),
      );
      yield {
        keys: (page.Contents ?? []).flatMap(({ Key: key }) => key ?? []),
        groups: (page.CommonPrefixes ?? []).flatMap(({ Prefix: group }) => group ?? []),
      };
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Harmless where there is none. */
  async remove(place: ObjectPlace): Promise<void> {
    await this.#request('remove', place, async ({ client, module }, { signal }) => {
      const command = new module.DeleteObjectCommand(namesOf(place));
      await client.send(command, { abortSignal: signal }).catch(tolerating('no-key'));
    });
  }

  /** Says of any failure which object it was about, and what it means. */
  async failure(error: unknown, operation: string, { bucket, key }: ObjectPlace): Promise<Error> {
    const loaded = await this.#loading?.catch(() => null);
    const endpoint = loaded == null ? 'S3' : await endpointOf(loaded).catch(() => 'AWS');
    return s3Failure(error, { operation, bucket, file: s3Url(bucket, key), endpoint });
  }

  #load(): Promise<LoadedClient> {
    return (this.#loading ??= loadClient(this.#access));
  }

  /** 'no-key', 'range' and 'precondition' are left to whoever asked. */
  async #request<T>(
    operation: string,
    place: ObjectPlace,
    act: (client: LoadedClient, attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    try {
      const client = await this.#load();
      return await this.patience.insist((attempt) => act(client, attempt));
    } catch (error) {
      if (ANSWERS.has(faultOf(error))) throw error;
      throw await this.failure(error, operation, place);
    }
  }

  /** Conditions and checksums make what is checked anyway cheaper and surer; a service that knows none will do. */
  async #withExtras<T>(act: (hasExtras: boolean) => Promise<T>): Promise<T> {
    if (!this.#hasExtras) return act(false);
    try {
      return await act(true);
    } catch (error) {
      if (faultOf(error) !== 'unsupported') throw error;
      this.#hasExtras = false;
      return act(false);
    }
  }
}

const ANSWERS: ReadonlySet<string> = new Set(['no-key', 'range', 'precondition']);

function namesOf({ bucket, key }: ObjectPlace): { readonly Bucket: string; readonly Key: string } {
  return { Bucket: bucket, Key: key };
}

function withoutChecksum({ PartNumber, ETag }: UploadedPart): UploadedPart {
  return { PartNumber, ...(ETag === undefined ? {} : { ETag }) };
}

/** Passes over answers that say that there is nothing to do. */
function tolerating(...faults: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!faults.includes(faultOf(error))) throw error;
    return undefined;
  };
}

/** An earlier attempt, whose answer was lost, may have done it: whoever reads the object back finds out. */
function tolerate({ number }: Attempt, ...faults: readonly string[]): (error: unknown) => undefined {
  return number === 1 ? tolerating() : tolerating(...faults);
}
