/** What commands ask of a cluster's TaskManagers. */
import { shape } from '../../core/index.ts';
import { cliErrors } from '../errors.ts';
import type { ClusterClient } from './cluster-client.ts';

const taskManagerShape = shape.fields({
  id: shape.text,
  path: shape.text,
  slotsNumber: shape.number,
  freeSlots: shape.number,
  millrace: shape.fields({
    rack: shape.nullable(shape.text),
    host: shape.nullable(shape.text),
    tags: shape.list(shape.text),
    drain: shape.nullable(shape.fields({ reason: shape.text, 'expires-at': shape.nullable(shape.number) })),
  }),
});

export type ListedTaskManager = ReturnType<typeof taskManagerShape>;

const listShape = shape.fields({ taskmanagers: shape.list(taskManagerShape) });

export async function listTaskManagers(client: ClusterClient): Promise<readonly ListedTaskManager[]> {
  return (await client.ask({ path: '/taskmanagers' }, listShape)).taskmanagers;
}

/** The one with this id, or the only one whose id begins so. MR-CLI-USAGE otherwise. */
async function findTaskManager(client: ClusterClient, given: string): Promise<ListedTaskManager> {
  const all = await listTaskManagers(client);
  const exact = all.find(({ id }) => id === given);
  if (exact !== undefined) return exact;
  const near = given === '' ? [] : all.filter(({ id }) => id.startsWith(given));
  if (near.length === 1 && near[0] !== undefined) return near[0];
  const problem =
    near.length === 0
      ? `the cluster has no TaskManager ${given}: see \`millrace list taskmanagers\``
      : `several TaskManagers begin with ${given}: ${near.map(({ id }) => id).join(', ')}`;
  throw cliErrors.create('MR-CLI-USAGE', { problem });
}

const nothing = shape.fields({});

/** Resolves to its id. */
export async function drainTaskManager(
  client: ClusterClient,
  given: string,
  reason: string | null,
  lastsMs: number | null,
): Promise<string> {
  const { id } = await findTaskManager(client, given);
  const expiry = lastsMs === null ? {} : { 'expires-in': lastsMs };
  const text = JSON.stringify({ ...(reason === null ? {} : { reason }), ...expiry });
  const body = { mediaType: 'application/json', text };
  await client.ask({ method: 'POST', path: drainPath(id), body }, nothing);
  return id;
}

/** Resolves to its id. */
export async function undrainTaskManager(client: ClusterClient, given: string): Promise<string> {
  const { id } = await findTaskManager(client, given);
  await client.ask({ method: 'DELETE', path: drainPath(id) }, nothing);
  return id;
}

function drainPath(id: string): string {
  return `/taskmanagers/${encodeURIComponent(id)}/drain`;
}
