/** The leader, as far as a TaskManager needs to know it. */
export interface LeaderReference {
  readonly epoch: number;
  /** Where its ResourceManagerGateway is served. */
  readonly resourceManagerAddress: string;
}

/**
 * Calls back soon with the leader, or null, and then at every change, until the returned function is called. In a
 * cluster this is HighAvailability.watchLeader; in one process the leader never changes.
 */
export type LeaderWatch = (onChange: (leader: LeaderReference | null) => void) => () => void;

/** Where the leader is in this process. */
export function oneLeader(leader: LeaderReference): LeaderWatch {
  return (onChange) => {
    onChange(leader);
    return () => undefined;
  };
}
