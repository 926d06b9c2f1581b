import type { MillraceError, Ports } from '../../core/index.ts';
import type { HighAvailability, LeaderInfo } from '../../ha/index.ts';

/** Where Dispatchers may be found, asked anew before every attempt. */
export interface DispatcherFinder {
  /** URLs without a slash at the end, the most promising first; empty while none is known. */
  candidates(): readonly string[];
  /** For messages: where it looks. */
  readonly place: string;
  /** For messages: why there are none. */
  problem(): string;
  close(): Promise<void>;
}

/** Any Dispatcher will do: those that do not lead pass on what they are asked. */
export function dispatchersAt(urls: readonly string[]): DispatcherFinder {
  const known = urls.map((url) => url.replace(/\/+$/, ''));
  return {
    candidates: () => known,
    place: known.join(', '),
    problem: () => 'none is named',
    close: () => Promise.resolve(),
  };
}

export interface ZooKeeperPlace {
  /** `HOST:PORT,HOST:PORT/FOLDER` */
  readonly connect: string;
  readonly auth: { readonly user: string; readonly password: string } | null;
  readonly ports: Ports;
}

/** The leader, as it is published in ZooKeeper. */
export async function dispatchersByZooKeeper({ connect, auth, ports }: ZooKeeperPlace): Promise<DispatcherFinder> {
  const { openZooKeeperHighAvailability } = await import('../../ha/index.ts');
  const credentials = auth === null ? {} : { auth: { scheme: 'digest' as const, ...auth } };
  let problem: string | null = null;
  const onProblem = ({ message }: MillraceError): void => {
    problem = message;
  };
  const highAvailability = openZooKeeperHighAvailability({ connect, ports, onProblem, ...credentials });
  return dispatchersBy(highAvailability, connect, () => problem);
}

/** The leader that is published there; closes it in the end. */
export function dispatchersBy(
  highAvailability: HighAvailability,
  place: string,
  lastProblem: () => string | null,
): DispatcherFinder {
  let leader: LeaderInfo | null = null;
  const stop = highAvailability.watchLeader((now) => {
    leader = now;
  });
  return {
    candidates: () => (leader === null ? [] : [leader.restUrl.replace(/\/+$/, '')]),
    place,
    problem: () => lastProblem() ?? 'no leader is known there',
    async close() {
      stop();
      await highAvailability.close();
    },
  };
}
