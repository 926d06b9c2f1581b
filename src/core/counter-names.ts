/** The counters that steps keep; docs/generated/metrics.md is made from this table. Flink's names where it has one. */
export const counterNames = Object.freeze({
  recordsIn: { name: 'numRecordsIn', doc: 'rows that reached the step' },
  recordsOut: { name: 'numRecordsOut', doc: 'rows that the step emitted, or that a sink handed over' },
  bytesIn: { name: 'numBytesIn', doc: 'bytes that a source received' },
  crossRackBytesIn: {
    name: 'numCrossRackBytesIn',
    doc: 'of these, those from brokers in another rack than the TaskManager\'s; without racks none',
  },
  bytesOut: { name: 'numBytesOut', doc: 'bytes that a sink sent' },
  crossRackBytesOut: {
    name: 'numCrossRackBytesOut',
    doc:
      'bytes that the last step of a task sent to tasks on TaskManagers in other racks; counted at the sender, ' +
      'without racks none',
  },
  recordsSkipped: { name: 'numRecordsSkipped', doc: 'records dropped by `errors: skip`' },
  lateRecords: {
    name: 'numLateRecordsDropped',
    doc: 'rows that came after all their windows were past their lateness, and were dropped',
  },
  lookupHits: { name: 'hitCount', doc: 'rows of a `lookup` whose answer was in its cache, or under way already' },
  lookupMisses: { name: 'missCount', doc: 'rows of a `lookup` that had to ask' },
  lookupFailures: { name: 'numLoadFailures', doc: 'requests of a `lookup` that failed, each attempt by itself' },
  stateBytes: { name: 'stateBytes', doc: 'memory that a step takes for what it remembers, in bytes' },
  restoredLocalBytes: {
    name: 'numBytesRestoredLocally',
    doc: 'bytes of state that a step was given back from copies on its TaskManager\'s disk, when it was restored',
  },
  restoredRemoteBytes: {
    name: 'numBytesRestoredRemotely',
    doc: 'bytes of state that a step was given back from where checkpoints are kept, when it was restored',
  },
  busyTime: { name: 'accumulateBusyTimeMs', doc: 'time that a task worked, in ms; at its first step, as those below' },
  idleTime: { name: 'accumulateIdleTimeMs', doc: 'time that a task waited for input, in ms' },
  backPressuredTime: {
    name: 'accumulateBackPressuredTimeMs',
    doc: 'time that a task waited until those behind it could take its output, in ms',
  },
  busyRate: { name: 'busyTimeMsPerSecond', doc: 'how much of a second a task worked, over the last five' },
  idleRate: { name: 'idleTimeMsPerSecond', doc: 'how much of a second a task waited for input' },
  backPressuredRate: {
    name: 'backPressuredTimeMsPerSecond',
    doc: 'how much of a second a task waited until those behind it could take its output',
  },
  deadLetters: { name: 'numDeadLetters', doc: 'records sent to the dead-letter target' },
  lag: { name: 'pendingRecords', doc: 'records that a source has still to read, as far as it knows' },
});
