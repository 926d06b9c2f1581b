import type { JobControl } from '../control/job-control.ts';
import type { ClusterClient } from './cluster-client.ts';
import { findJob, savepointOf, stopJob } from './cluster-jobs.ts';
import { readJob } from './job-status.ts';

/** A job of a cluster, by its id or name. It is never stopped without a savepoint: that is to cancel it. */
export function clusterControl(client: ClusterClient, idOrName: string): JobControl {
  return {
    async status() {
      const { name, state, millrace } = await readJob(client, (await findJob(client, idOrName)).jid);
      return { job: name, state, checkpointId: millrace['last-checkpoint']?.id ?? null };
    },
    async savepoint(to) {
      const { jid } = await findJob(client, idOrName);
      return { path: (await savepointOf(client, jid, to)) ?? '' };
    },
    async stop(savepoint) {
      const { jid } = await findJob(client, idOrName);
      const path = await stopJob(client, jid, savepoint ?? { to: null, drains: false });
      return { state: 'CANCELED', path };
    },
  };
}
