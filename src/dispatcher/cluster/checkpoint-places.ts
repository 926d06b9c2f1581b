/**
 * Where the jobs of a cluster keep their checkpoints: below the cluster's place, or the one that the job's file names.
 * There each job has a place of its own with a random name, so that two clusters never take each other's files for
 * leftovers; which one it is stands in the fenced store, with those that the job has had before.
 */
import { isAbsolute } from 'node:path';

import {
  isStorageUrl,
  locationOfRoot,
  parseStorageLocation,
  readShape,
  shape,
  storageRootBelow,
} from '../../core/index.ts';
import type { CheckpointPlace, CheckpointStorageConfig, CheckpointStorageRoot, Ports } from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import type { FencedStore } from '../../ha/index.ts';
import { schedulerErrors } from '../../scheduler/index.ts';
import { clusterErrors } from '../errors.ts';

const RANDOM_BYTES = 8;
/** Older places are looked into as well; nobody moves a job that often. */
const MAX_PLACES = 8;
const MAX_NAME_LENGTH = 60;
const SAVEPOINTS = 'savepoints';

const placesShape = shape.fields({ version: shape.oneOf(1), places: shape.list(shape.text) });

interface SavepointPlace {
  readonly config: CheckpointStorageConfig;
  readonly location: string;
}

export class CheckpointPlaces {
  readonly #store: FencedStore;
  readonly #randomness: Ports['randomness'];
  readonly #clusterPlace: CheckpointPlace | null;

  /** `clusterPlace` is for jobs that name none; null where they must. */
  constructor(store: FencedStore, randomness: Ports['randomness'], clusterPlace: CheckpointPlace | null) {
    this.#store = store;
    this.#randomness = randomness;
    this.#clusterPlace = clusterPlace;
  }

  /** Where the checkpoints of the job go, remembered before it resolves. */
  async keep({ name, checkpoint }: JobGraph): Promise<CheckpointStorageConfig> {
    const own = checkpoint?.storage;
    const location = own?.location ?? this.#clusterPlace?.location ?? null;
    if (location === null) throw schedulerErrors.create('MR-JOB-NO-CHECKPOINT-STORE', {});
    const folder = locationOfRoot(rootBelow(location, readableName(name)));
    const key = `places/${encodeURIComponent(name)}`;
    const stored = await this.#store.read(key);
    const known = stored === null ? [] : readPlaces(key, stored.value);
    const kept = known.findLast((each) => each.startsWith(`${folder}/`));
    const present = kept ?? `${folder}/${this.#randomness.hex(RANDOM_BYTES)}`;
    const older = known.filter((each) => each !== present);
    if (known.at(-1) !== present) {
      const places = [...older, present].slice(-MAX_PLACES);
      const bytes = Buffer.from(JSON.stringify({ version: 1, places }));
      await this.#store.write(key, bytes, stored?.version ?? null);
    }
    const s3 = own?.s3 ?? this.#clusterPlace?.s3 ?? {};
    return { ...rootBelow(present), s3, older: older.map((each) => rootBelow(each)) };
  }

  /** A place for one savepoint: below the target, else beside the job's checkpoints. */
  savepoint(checkpoints: CheckpointStorageConfig, jobName: string, target: string | null): SavepointPlace {
    const name = `savepoint-${readableName(jobName)}-${this.#randomness.hex(RANDOM_BYTES)}`;
    const own = locationOfRoot(checkpoints);
    const beside = own.slice(0, own.lastIndexOf('/'));
    const root = target === null ? rootBelow(beside, SAVEPOINTS, name) : rootBelow(target, name);
    return { config: { ...root, s3: checkpoints.s3 ?? {} }, location: locationOfRoot(root) };
  }
}

/** Every process of the cluster must find it: relative paths are of one of them. */
function rootBelow(location: string, ...names: readonly string[]): CheckpointStorageRoot {
  const parsed = parseStorageLocation(location);
  if (parsed.kind === 'unusable') {
    throw clusterErrors.create('MR-CLUSTER-PLACE', { location, problem: `it ${parsed.problem}` });
  }
  if (!isStorageUrl(location) && !isAbsolute(location)) {
    const problem = 'it is relative, and the processes of a cluster have no folder in common; name an absolute path';
    throw clusterErrors.create('MR-CLUSTER-PLACE', { location, problem });
  }
  return storageRootBelow(parsed, ...names);
}

function readableName(jobName: string): string {
  return jobName.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, MAX_NAME_LENGTH);
}

function readPlaces(key: string, value: Uint8Array): readonly string[] {
  const reading = readShape(placesShape, parseJson(value));
  if (reading.kind === 'read') return reading.value.places;
  throw clusterErrors.create('MR-CLUSTER-PLACES-DAMAGED', { key, reason: reading.reason });
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return undefined;
  }
}
