/** What can be broken on purpose: a simulation that does not find it would not find a bug of this sort either. */
export const BREAKS = {
  'ignored-fence': 'ZooKeeper takes the writes of leaders that were replaced',
  'ignored-epoch': 'receivers take the calls of leaders that were replaced',
  'slot-twice': 'a slot is said to be free while its thread still runs',
  'early-commit': 'output is committed once a task has acknowledged, before the pointer has moved',
  'forgotten-handles': 'a restart does not know what the checkpoint has prepared',
  'stale-restore': 'a restart restores the checkpoint before the last one',
  'open-leftovers': 'a restart leaves open what tasks before it have begun',
  'swallowed-reports': 'acknowledgements of one TaskManager never arrive',
  'final-failures': 'every failure of a task is said to be one that no restart helps',
  'unborne-loss': 'the end of a session with ZooKeeper whose connection has ever broken is an error',
} as const;

export type Break = keyof typeof BREAKS;
