/** What `millrace explain --placement` asks and shows. */
import { shape } from '../../core/index.ts';
import { textTable } from '../text-table.ts';
import type { ClusterClient } from './cluster-client.ts';
import type { JobToSubmit } from './job-to-submit.ts';
import { bodyOf, variablesQuery } from './submit-job.ts';

const { fields, list, map, nullable, number, text } = shape;

const placementShape = fields({
  jid: nullable(text),
  name: text,
  'slots-needed': number,
  'slots-free': number,
  'waiting-for': nullable(text),
  placement: nullable(
    fields({
      slices: list(
        fields({
          ...{ subtask: number, 'taskmanager-id': text, 'slot-id': text },
          ...{ rack: nullable(text), host: nullable(text), reason: text },
        }),
      ),
      splits: list(
        fields({ step: text, split: text, 'near-to': list(text), subtask: number, locality: text, reason: text }),
      ),
      edges: list(fields({ from: text, to: text, exchange: text, channels: map(number), 'cross-rack-share': number })),
      'splits-by-locality': map(number),
      'moved-slices': number,
    }),
  ),
  'cross-rack-bytes': nullable(fields({ read: number, sent: number })),
});

type Placement = ReturnType<typeof placementShape>;

export function placementOfJob(client: ClusterClient, jobId: string): Promise<Placement> {
  return client.ask({ path: `/jobs/${jobId}/placement` }, placementShape);
}

/** As if it were submitted now. */
export function placementOfFile(client: ClusterClient, job: JobToSubmit): Promise<Placement> {
  const path = `/placement?${variablesQuery(job.variables).toString()}`;
  return client.ask({ method: 'POST', path, body: bodyOf(job) }, placementShape);
}

/** For people. */
export function describePlacement({ name, placement, ...facts }: Placement): string {
  const waits = facts['waiting-for'];
  const bytes = facts['cross-rack-bytes'];
  const head = [
    facts.jid === null ? `${name}, if it were submitted now` : name,
    `  needs ${facts['slots-needed']} slots; ${facts['slots-free']} are free in the cluster`,
    ...(waits === null ? [] : [`  waits for ${waits}`]),
    ...(bytes === null ? [] : [`  bytes from and to other racks: ${bytes.read} read, ${bytes.sent} sent`]),
  ];
  if (placement === null) return head.join('\n');
  const { slices, splits, edges } = placement;
  const counts = Object.entries(placement['splits-by-locality']).filter(([, count]) => count > 0);
  const totals = counts.map(([locality, count]) => `${count} ${locality}`).join(', ');
  return [
    ...head,
    ...(splits.length === 0 ? [] : [`  splits: ${totals}`]),
    ...(placement['moved-slices'] === 0 ? [] : [`  moved since the attempt before: ${placement['moved-slices']}`]),
    ...section(
      ['subtask', 'TaskManager', 'rack', 'host', 'why'],
      slices.map((slice) => {
        const { subtask, rack, host, reason } = slice;
        return [String(subtask), slice['taskmanager-id'], rack ?? '', host ?? '', reason];
      }),
    ),
    ...section(
      ['step', 'split', 'near to', 'subtask', 'locality', 'why'],
      splits.map((split) => {
        const { step, split: id, subtask, locality, reason } = split;
        return [step, id, split['near-to'].join(', '), String(subtask), locality, reason];
      }),
    ),
    ...section(
      ['rows from', 'to', 'exchange', 'channels', 'to other racks'],
      edges.map((edge) => {
        const { from, to, exchange, channels } = edge;
        return [from, to, exchange, describeChannels(channels), `${Math.round(edge['cross-rack-share'] * 100)} %`];
      }),
    ),
  ].join('\n');
}

function section(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return rows.length === 0 ? [] : ['', ...textTable([head, ...rows])];
}

function describeChannels(channels: Readonly<Record<string, number>>): string {
  const some = Object.entries(channels).filter(([, count]) => count > 0);
  return some.map(([locality, count]) => `${count} ${locality}`).join(', ');
}
