/** A placement, with the names of localities that schedulers of clusters have in common. */
import type { JobPlacement } from '../../cluster-service.ts';
import { json, type JsonSchema } from '../json-schema.ts';

type Report = NonNullable<JobPlacement['report']>;

/** From near to far. NO_PREF: nobody says where it is. */
const LOCALITIES = {
  'process-local': 'PROCESS_LOCAL',
  'node-local': 'NODE_LOCAL',
  'rack-local': 'RACK_LOCAL',
  'cross-rack': 'ANY',
  indifferent: 'NO_PREF',
} as const;

const localitySchema = json.oneOf(...Object.values(LOCALITIES));

export const placementSchema: JsonSchema = json.object({
  jid: json.nullable(json.text),
  name: json.text,
  'slots-needed': json.integer,
  'slots-free': json.integer,
  'waiting-for': json.nullable(json.text),
  placement: json.nullable(
    json.object({
      slices: json.list(
        json.object({
          subtask: json.integer,
          'taskmanager-id': json.text,
          'slot-id': json.text,
          rack: json.nullable(json.text),
          host: json.nullable(json.text),
          reason: json.text,
        }),
      ),
      splits: json.list(
        json.object({
          step: json.text,
          split: json.text,
          'near-to': json.list(json.text),
          subtask: json.integer,
          locality: localitySchema,
          reason: json.text,
        }),
      ),
      edges: json.list(
        json.object({
          from: json.text,
          to: json.text,
          exchange: json.text,
          channels: json.map(json.integer),
          'cross-rack-share': json.number,
        }),
      ),
      'splits-by-locality': json.map(json.integer),
      'moved-slices': json.integer,
    }),
  ),
  'cross-rack-bytes': json.nullable(json.object({ read: json.number, sent: json.number })),
});

/** GET /jobs/:jobid/placement, and POST /placement */
export function placementView(placement: JobPlacement): unknown {
  const { jobId, name, needed, free, waitingFor, report, crossRackBytes } = placement;
  return {
    jid: jobId,
    name,
    'slots-needed': needed,
    'slots-free': free,
    'waiting-for': waitingFor,
    placement: report === null ? null : reportView(report),
    'cross-rack-bytes': crossRackBytes,
  };
}

function reportView({ slices, splits, edges, totals, moved }: Report): unknown {
  return {
    slices: slices.map(({ subtaskIndex, taskManagerId, slotId, rack, host, because }) => ({
      subtask: subtaskIndex,
      'taskmanager-id': taskManagerId,
      'slot-id': slotId,
      rack,
      host,
      reason: because,
    })),
    splits: splits.map(({ stepId, splitId, racks, subtaskIndex, locality, because }) => ({
      step: stepId,
      split: splitId,
      'near-to': racks,
      subtask: subtaskIndex,
      locality: LOCALITIES[locality],
      reason: because,
    })),
    edges: edges.map(({ from, to, exchange, channels, crossRackShare }) => ({
      from,
      to,
      exchange,
      channels: countsView(channels),
      'cross-rack-share': crossRackShare,
    })),
    'splits-by-locality': countsView(totals),
    'moved-slices': moved,
  };
}

function countsView(counts: Readonly<Partial<Record<keyof typeof LOCALITIES, number>>>): unknown {
  const known = Object.entries(counts) as readonly (readonly [keyof typeof LOCALITIES, number])[];
  return Object.fromEntries(known.map(([locality, count]) => [LOCALITIES[locality], count]));
}
