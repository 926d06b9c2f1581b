import { clusterJobStore } from '../ha/index.ts';
import type { HighAvailability, JobStore, Leadership } from '../ha/index.ts';

/** The store of jobs of a new leader; to close it ends its process's part in the cluster. */
export async function ledJobStore(ha: HighAvailability, dispatcherId: string): Promise<JobStore> {
  const leadership = await new Promise<Leadership>((resolve) => {
    ha.contend({ dispatcherId, rpcAddress: '', restUrl: '' }, resolve);
  });
  const store = clusterJobStore(leadership);
  return {
    read: (jobName) => store.read(jobName),
    write: (record, expected) => store.write(record, expected),
    remove: (jobName) => store.remove(jobName),
    close: async () => {
      await store.close();
      await ha.close();
    },
  };
}
