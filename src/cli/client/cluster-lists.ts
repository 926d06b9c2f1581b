/** The tables of `millrace list jobs` and `millrace list taskmanagers`. */
import type { ClusterClient } from './cluster-client.ts';
import { listJobs } from './cluster-jobs.ts';
import { listTaskManagers, type ListedTaskManager } from './cluster-task-managers.ts';
import { describeCounts, timeOf } from './job-status.ts';

interface ClusterList {
  /** As the REST API has them. */
  readonly documents: readonly unknown[];
  /** With a head. */
  readonly rows: readonly (readonly string[])[];
}

/** `name`: only those of this name or id. */
type ReadList = (client: ClusterClient, name: string | null) => Promise<ClusterList>;

export const clusterLists: Readonly<Record<'jobs' | 'taskmanagers', ReadList>> = {
  async jobs(client, name) {
    const jobs = (await listJobs(client)).filter((job) => name === null || job.name === name || job.jid === name);
    const rows = jobs.map(({ jid, state, name: jobName, tasks, 'start-time': startedAtMs }) => [
      jid,
      state,
      jobName,
      timeOf(startedAtMs),
      describeCounts(tasks),
    ]);
    return { documents: jobs, rows: [['id', 'state', 'name', 'started', 'tasks'], ...rows] };
  },
  async taskmanagers(client, name) {
    const all = (await listTaskManagers(client)).filter(({ id }) => name === null || id === name);
    const head = ['id', 'address', 'rack', 'host', 'free slots', 'marked'];
    return { documents: all, rows: [head, ...all.map(taskManagerRow)] };
  },
};

function taskManagerRow({ id, path, slotsNumber, freeSlots, millrace }: ListedTaskManager): readonly string[] {
  const { rack, host, drain } = millrace;
  const until = drain?.['expires-at'] == null ? '' : ` until ${timeOf(drain['expires-at'])}`;
  const mark = drain === null ? '' : `drained${until}: ${drain.reason}`;
  return [id, path, rack ?? '', host ?? '', `${freeSlots} of ${slotsNumber}`, mark];
}
