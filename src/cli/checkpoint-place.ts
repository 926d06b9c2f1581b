/**
 * Where a job's checkpoints are: in its own folder, or below the place that its file names. There each job has a place
 * of its own with a random name, so that two data folders never take each other's files for leftovers; which one it is
 * stands in the file `places` beside the job's record, with those that the job has had before.
 */
import { basename, dirname, join, resolve } from 'node:path';

import {
  locationOfRoot,
  makeDurableDirectory,
  parseStorageLocation,
  readShape,
  shape,
  storageRootBelow,
  type CheckpointPlace,
  type CheckpointStorageConfig,
  type CheckpointStorageRoot,
  type Ports,
} from '../core/index.ts';
import { embeddedCheckpointDirectory } from '../ha/index.ts';
import { cliErrors } from './errors.ts';

export interface PlaceRequest {
  readonly ports: Pick<Ports, 'files' | 'randomness'>;
  readonly dataFolder: string;
  readonly jobName: string;
  /** As the job's file has it; absent for the job's own folder. */
  readonly place: CheckpointPlace | undefined;
}

const RANDOM_BYTES = 8;
/** Older places are looked into as well; nobody moves a job that often. */
const MAX_PLACES = 8;
/** The job's own folder, wherever that is. */
const OWN = '';

const placesShape = shape.fields({ version: shape.oneOf(1), places: shape.list(shape.text) });

/** Where the checkpoints of the job are, and go on to be. The file is written only by keepPlace(). */
export async function findPlace(request: PlaceRequest): Promise<CheckpointStorageConfig> {
  return configOf(request, await readPlaces(request));
}

/** As findPlace(), and remembers it. Whoever calls it holds the job. */
export async function keepPlace(request: PlaceRequest): Promise<CheckpointStorageConfig> {
  const known = await readPlaces(request);
  const config = configOf(request, known);
  const place = placeOf(request, config);
  if (place !== (known.at(-1) ?? OWN)) {
    const places = [...known.filter((each) => each !== place), place].slice(-MAX_PLACES);
    await writePlaces(request, places);
  }
  return config;
}

/** A folder for one savepoint: in the one that is given, absolute or a URL, else beside the job's checkpoints. */
export function savepointPlace(
  checkpoints: CheckpointStorageConfig,
  to: string | null,
  name: string,
): { readonly config: CheckpointStorageConfig; readonly location: string } {
  const { s3 = {} } = checkpoints;
  const root = to === null ? below(locationOfRoot(above(checkpoints)), 'savepoints', name) : below(to, name);
  return { config: { ...root, s3 }, location: locationOfRoot(root) };
}

function configOf(request: PlaceRequest, known: readonly string[]): CheckpointStorageConfig {
  const { place, ports } = request;
  const own: CheckpointStorageRoot = { kind: 'directory', path: ownFolder(request) };
  const rootAt = (each: string): CheckpointStorageRoot => (each === OWN ? own : below(each));
  const s3 = place?.s3 ?? {};
  if (place === undefined || place.location === null) {
    return { ...own, s3, older: known.filter((each) => each !== OWN).map(rootAt) };
  }
  const folder = locationOfRoot(below(place.location, basename(dirname(own.path))));
  const kept = known.findLast((each) => each.startsWith(`${folder}/`));
  const present = kept ?? `${folder}/${ports.randomness.hex(RANDOM_BYTES)}`;
  const older = [OWN, ...known.filter((each) => each !== OWN && each !== present)];
  return { ...below(present), s3, older: older.map(rootAt) };
}

function placeOf(request: PlaceRequest, config: CheckpointStorageConfig): string {
  return config.kind === 'directory' && config.path === ownFolder(request) ? OWN : locationOfRoot(config);
}

function ownFolder({ dataFolder, jobName }: PlaceRequest): string {
  return embeddedCheckpointDirectory(resolve(dataFolder), jobName);
}

function below(location: string, ...names: readonly string[]): CheckpointStorageRoot {
  const parsed = parseStorageLocation(location);
  if (parsed.kind !== 'unusable') return storageRootBelow(parsed, ...names);
  throw cliErrors.create('MR-CLI-USAGE', { problem: `${location}: it ${parsed.problem}` });
}

function above(root: CheckpointStorageRoot): CheckpointStorageRoot {
  if (root.kind === 'directory') return { kind: 'directory', path: dirname(root.path) };
  return { kind: 's3', bucket: root.bucket, prefix: root.prefix.slice(0, Math.max(0, root.prefix.lastIndexOf('/'))) };
}

function placesFile(request: PlaceRequest): string {
  return join(dirname(ownFolder(request)), 'places');
}

async function readPlaces(request: PlaceRequest): Promise<readonly string[]> {
  const { files } = request.ports;
  const path = placesFile(request);
  if ((await files.stat(path)) === null) return [];
  const reading = readShape(placesShape, parseJson(await files.readText(path)));
  if (reading.kind === 'read') return reading.value.places;
  throw cliErrors.create('MR-CLI-PLACES-DAMAGED', { path, reason: reading.reason });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Durable before the first checkpoint is: without it nobody would know where that is. */
async function writePlaces(request: PlaceRequest, places: readonly string[]): Promise<void> {
  const { files } = request.ports;
  const path = placesFile(request);
  await makeDurableDirectory(files, dirname(path));
  const file = await files.open(`${path}.tmp`, 'create');
  try {
    await file.append(Buffer.from(`${JSON.stringify({ version: 1, places })}\n`));
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(`${path}.tmp`, path);
  await files.syncDirectory(dirname(path));
}
