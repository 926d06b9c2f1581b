import type { Ports } from '../../core/index.ts';
import type { JobExplanation, JobGraph } from '../../graph/index.ts';
import type { LeaderInfo } from '../../ha/index.ts';
import type { LogKind, WrittenLog } from '../../rpc/index.ts';
import type { ClusterService } from '../cluster-service.ts';
import type { Role } from './access.ts';
import type { AsyncOperations } from './async-operations.ts';
import type { JsonSchema } from './json-schema.ts';

/** What the answers are made from. */
export interface RestWorld {
  /** Null while this Dispatcher does not lead. */
  readonly service: () => ClusterService | null;
  /** Who leads, as far as it is known. */
  readonly leader: () => LeaderInfo | null;
  readonly ports: Pick<Ports, 'clock' | 'randomness' | 'streams'>;
  /** What the steps of a job do, without the secrets of their options; called with the first job that is shown. */
  readonly explainJob: (graph: JobGraph) => Promise<JobExplanation>;
  readonly version: string;
  /** Whether jobs may bring code. */
  readonly takesCode: boolean;
  /** What this process has written; absent where nobody keeps that. */
  readonly ownLog?: (kind: LogKind) => WrittenLog;
  /** The same of a TaskManager at an address. */
  readonly logOf?: (address: string, kind: LogKind) => Promise<WrittenLog>;
  readonly operations: AsyncOperations;
}

export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

interface SentBody {
  readonly mediaType: string;
  readonly schema: JsonSchema;
}

interface RouteFacts {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `:name` for parameters. Answered with and without `/v1` in front. */
  readonly path: string;
  readonly summary: string;
  /** Null where no token is needed. */
  readonly role: Role | null;
  readonly params?: JsonSchema;
  readonly query?: JsonSchema;
  readonly body?: SentBody & { readonly otherwise?: SentBody };
  readonly answer: { readonly status: number; readonly mediaType?: string; readonly schema: JsonSchema };
  /** Further headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Route = RouteFacts &
  (
    | { readonly answeredBy: 'leader'; readonly handle: (call: Call, service: ClusterService) => unknown }
    /** By any Dispatcher, about itself. It may throw. */
    | { readonly answeredBy: 'anyone'; readonly handle: (call: Call) => unknown }
  );
