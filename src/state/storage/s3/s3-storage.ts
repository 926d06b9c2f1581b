import {
  checkpointDirectory,
  checkpointIdOf,
  coreErrors,
  isCheckpointDirectory,
  METADATA_SUFFIX,
  metadataFileName,
  parseStorageLocation,
  s3Url,
  stateFileName,
  TEMPORARY_SUFFIX,
  type CheckpointMetadata,
  type CheckpointStorage,
  type EnvelopeKind,
  type Ports,
  type S3Access,
  type StateFile,
  type StateFileObserver,
  type StateFileReader,
  type StateFileWriter,
} from '../../../core/index.ts';
import { stateErrors } from '../../errors.ts';
import { checkFile, damaged, METADATA_ENVELOPE, observed, readPart, STATE_ENVELOPE } from '../checked-file.ts';
import type { Content } from '../checked-file.ts';
import { chooseMetadata } from '../choose-metadata.ts';
import { readMetadataFile, relocated, writeMetadataFile, type FoundMetadata } from '../metadata-file.ts';
import { ObjectParts, ObjectScan, type ObjectSource } from './object-reader.ts';
import { ObjectStore, type ObjectPlace } from './object-store.ts';
import { ObjectWriter } from './object-writer.ts';
import { s3Limits, type S3Limits } from './s3-limits.ts';

export type S3Ports = Pick<Ports, 'clock' | 'randomness'>;

export interface S3Root {
  readonly bucket: string;
  /** Without a slash at either end; empty for the bucket itself. */
  readonly prefix: string;
}

const RANDOM_BYTES = 8;
const DIRECTORIES = checkpointDirectory(0).slice(0, -1);

/** Checkpoints in a bucket of an object store that speaks S3's protocol (docs/design/010, Objects). */
export class S3Storage implements CheckpointStorage {
  readonly #root: S3Root;
  readonly #ports: S3Ports;
  readonly #limits: S3Limits;
  readonly #store: ObjectStore;

  constructor(root: S3Root, access: S3Access, ports: S3Ports, limits: S3Limits = s3Limits) {
    this.#root = root;
    this.#ports = ports;
    this.#limits = access.timeoutMs === undefined ? limits : { ...limits, timeoutMs: access.timeoutMs };
    this.#store = new ObjectStore(access, this.#limits, ports);
  }

  /** Called where checkpoints are sure to come, before there are rows to hold up. */
  prepare(): this {
    this.#store.prepare();
    return this;
  }

  createFile(checkpointId: number, owner: string): Promise<StateFileWriter> {
    return Promise.resolve(this.#create(stateFileName(checkpointId, owner, this.#random()), STATE_ENVELOPE));
  }

  async openFile(file: StateFile, observe?: StateFileObserver): Promise<StateFileReader> {
    const source = this.#sourceOf(file.name);
    const scan = new ObjectScan(source);
    try {
      await checkFile(observed(scan, observe), source.path, STATE_ENVELOPE, file);
    } finally {
      scan.close();
    }
    const parts = new ObjectParts(source, file.sizeBytes, scan.identity);
    return {
      read: (position, length) => readPart(parts, source.path, file.sizeBytes, { position, length }),
      close: () => Promise.resolve(parts.close()),
    };
  }

  async writeMetadata(metadata: CheckpointMetadata): Promise<StateFile> {
    const { checkpointId, generation } = metadata;
    return writeMetadataFile(metadata, () =>
      this.#create(metadataFileName(checkpointId, generation, this.#random()), METADATA_ENVELOPE),
    );
  }

  async readMetadata(file: StateFile): Promise<CheckpointMetadata> {
    const source = this.#sourceOf(file.name);
    const { metadata } = await this.#readMetadata(source, file);
    return checkpointIdOf(file.name) === null ? relocated(metadata, source.path) : metadata;
  }

  async findMetadata(location: string): Promise<StateFile> {
    const place = this.#placeAt(location);
    const found = await this.#locateMetadata(place, location);
    const source = this.#sourceAt(found);
    const { content } = await this.#readMetadata(source, null);
    return { name: this.#ownName(found) ?? source.path, ...content };
  }

  async remove(name: string): Promise<void> {
    const place = this.#placeOf(name);
    if (checkpointIdOf(name) === null) {
      const message = `${name} is not a file of the checkpoints in ${this.#url('')}`;
      throw coreErrors.create('MR-INTERNAL', { message });
    }
    // What is still being written, or was left behind, is listed under such a name.
    if (name.endsWith(TEMPORARY_SUFFIX)) {
      const key = place.key.slice(0, -TEMPORARY_SUFFIX.length);
      for (const upload of (await this.#store.listUploads({ ...place, key })) ?? []) {
        if (upload.key === key) await this.#store.abortUpload({ ...place, key }, upload.uploadId);
      }
    }
    await this.#store.remove(place);
  }

  async list(): Promise<readonly string[]> {
    const place = { bucket: this.#root.bucket, key: this.#key(DIRECTORIES) };
    const names = new Set<string>();
    const add = (key: string, suffix: string): void => {
      const name = this.#ownName({ ...place, key });
      if (name !== null) names.add(name + suffix);
    };
    try {
      for await (const { keys } of this.#store.list(place, null)) for (const key of keys) add(key, '');
      for (const { key } of (await this.#store.listUploads(place)) ?? []) add(key, TEMPORARY_SUFFIX);
    } catch (error) {
      throw await this.#store.failure(error, 'list', place);
    }
    return [...names].sort();
  }

  #random(): string {
    return this.#ports.randomness.hex(RANDOM_BYTES);
  }

  #create(name: string, kind: EnvelopeKind): ObjectWriter {
    return new ObjectWriter({ ...this.#sourceOf(name), name, kind });
  }

  #key(name: string): string {
    return this.#root.prefix === '' ? name : `${this.#root.prefix}/${name}`;
  }

  #url(name: string): string {
    return s3Url(this.#root.bucket, this.#key(name));
  }

  /** The name in this storage of an object, or null where it is not a file of its checkpoints. */
  #ownName({ bucket, key }: ObjectPlace): string | null {
    const before = this.#key('');
    if (bucket !== this.#root.bucket || !key.startsWith(before)) return null;
    const name = key.slice(before.length);
    return checkpointIdOf(name) === null ? null : name;
  }

  /** URLs belong to checkpoints that an operator has pointed to; all other names are made here. */
  #placeOf(name: string): ObjectPlace {
    if (checkpointIdOf(name) !== null) return { bucket: this.#root.bucket, key: this.#key(name) };
    const parsed = parseStorageLocation(name);
    if (parsed.kind !== 's3') throw damaged(this.#url(name), 'this is not a name that a checkpoint has');
    return parsed;
  }

  #sourceOf(name: string): ObjectSource {
    return this.#sourceAt(this.#placeOf(name));
  }

  #sourceAt(place: ObjectPlace): ObjectSource {
    return { store: this.#store, place, path: s3Url(place.bucket, place.key), limits: this.#limits };
  }

  #placeAt(location: string): ObjectPlace {
    const parsed = parseStorageLocation(location);
    if (parsed.kind === 's3') return parsed;
    const reason = parsed.kind === 'unusable' ? `it ${parsed.problem}` : 'it is no URL of S3';
    throw stateErrors.create('MR-STATE-NOT-FOUND', { location, reason });
  }

  async #readMetadata(source: ObjectSource, expected: Content | null): Promise<FoundMetadata> {
    const scan = new ObjectScan(source);
    try {
      return await readMetadataFile(scan, source.path, expected);
    } finally {
      scan.close();
    }
  }

  async #locateMetadata(place: ObjectPlace, location: string): Promise<ObjectPlace> {
    if (place.key.endsWith(METADATA_SUFFIX)) return place;
    const before = place.key === '' ? '' : `${place.key}/`;
    const entries: string[] = [];
    try {
      for await (const { keys, groups } of this.#store.list({ ...place, key: before }, '/')) {
        entries.push(...keys, ...groups.map((group) => group.slice(0, -1)));
      }
    } catch (error) {
      throw await this.#store.failure(error, 'list', place);
    }
    // Some tools mark a folder by an empty object of its name.
    const names = entries.map((key) => key.slice(before.length)).filter((name) => name !== '');
    const entry = chooseMetadata(location, names);
    const inside = { ...place, key: before + entry };
    return isCheckpointDirectory(entry) ? this.#locateMetadata(inside, s3Url(place.bucket, inside.key)) : inside;
  }
}
