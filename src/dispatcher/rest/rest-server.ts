import type { AddressInfo } from 'node:net';

import { messageOf, type Ports } from '../../core/index.ts';
import type { JobExplanation, JobGraph } from '../../graph/index.ts';
import type { LeaderInfo } from '../../ha/index.ts';
import type { LogKind, WrittenLog } from '../../rpc/index.ts';
import type { ClusterService } from '../cluster-service.ts';
import type { RestTokens } from './access.ts';
import { AsyncOperations } from './async-operations.ts';
import { restErrors } from './errors.ts';
import { checkExposure } from './exposure.ts';
import type { RestTls } from './rest-app.ts';

export interface RestServerOptions {
  /** What answers; null while this Dispatcher does not lead. Asked at every request. */
  readonly service: () => ClusterService | null;
  /** Where requests go meanwhile; null while nobody is known to lead. */
  readonly leader: () => LeaderInfo | null;
  /** Port 0 takes one that is free. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Null: nobody needs one, on loopback only. */
  readonly tokens: RestTokens | null;
  readonly tls: RestTls | null;
  /** Whether jobs may bring code; no if left out. */
  readonly takesCode?: boolean;
  /** What this process has written; where left out, nobody can read it. */
  readonly ownLog?: (kind: LogKind) => WrittenLog;
  /** The same of a TaskManager at an address. */
  readonly logOf?: (address: string, kind: LogKind) => Promise<WrittenLog>;
  /** Whether a network address may do without TLS: the operator says that the network is trusted. */
  readonly isInsecureAllowed: boolean;
  readonly ports: Pick<Ports, 'clock' | 'randomness' | 'streams'>;
  /** What the steps of a job do, without the secrets of their options; called with the first job that is shown. */
  readonly explainJob: (graph: JobGraph) => Promise<JobExplanation>;
  readonly version: string;
}

export interface RestServer {
  readonly port: number;
  /** Nobody is accepted any more. Resolves when those that were being answered are, or are cut off after a while. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 5000;

/** Serves the REST API. Rejects with MR-REST-EXPOSED, or MR-REST-LISTEN where the address cannot be had. */
export async function startRestServer(options: RestServerOptions): Promise<RestServer> {
  const { listen, tokens, tls, isInsecureAllowed, ports } = options;
  const hasTokens = tokens !== null && Object.values(tokens).some((token) => token !== null && token !== '');
  checkExposure({ host: listen.host, hasTokens, hasTls: tls !== null, isInsecureAllowed });
  // Only who serves it loads the framework.
  const { restApp } = await import('./rest-app.ts');
  const operations = new AsyncOperations(ports.clock, ports.randomness);
  try {
    const app = restApp({ ...options, takesCode: options.takesCode ?? false, operations });
    await app.listen({ host: listen.host, port: listen.port });
    return {
      port: (app.server.address() as AddressInfo).port,
      async close() {
        const cut = ports.clock.schedule(CLOSE_GRACE_MS, () => app.server.closeAllConnections(), true);
        await app.close();
        cut.cancel();
      },
    };
  } catch (error) {
    throw restErrors.create('MR-REST-LISTEN', { ...listen, reason: messageOf(error) }, error);
  }
}
